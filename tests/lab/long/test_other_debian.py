"""`make setup`, `make check` and a lab on the other Debian, with that release's own Python.

What the README promises for Debian 12 and 13 is seen on the one that this computer does not run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lab import traces
from tests.lab.conftest import new_lab
from tests.lab.long import other_debian

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.lab.long.other_debian import OtherDebian

    Tell = Callable[[str, object, object], None]

pytestmark = [pytest.mark.lab, pytest.mark.timeout(3500)]
PYTHONS = {"bookworm": "3.11", "trixie": "3.13"}
SHOWN = 6000  # the last characters of what failed
# What a lab in a machine of a container needs beside what `make setup` installs.
LAYERS = """cd /var/lib/paquet-lab && mkdir -p lower upper work root &&
mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work root &&
umount root && rm -r lower upper work root"""
NESTING = {
    "it may lay no disks of layers": ("sh", "-c", LAYERS),
    "it may make no network of its own": ("unshare", "--net", "true"),
    "it has no /dev/net/tun": ("test", "-c", "/dev/net/tun"),
}


@pytest.fixture(scope="module")
def other() -> Iterator[OtherDebian]:
    """The other Debian, booted from a fresh root, with a clone of the present commit."""
    if not other_debian.release():
        pytest.skip("this computer runs neither Debian 12 nor 13, so there is no other")
    with other_debian.machine(new_lab("x")) as made:
        yield made
    assert not other_debian.FOLDER.exists()
    assert not [left for left in traces.everything() if other_debian.NAME in left]


@pytest.fixture(scope="module")
def nesting(other: OtherDebian) -> OtherDebian:
    """The same, when labs can run in it."""
    for why, probe in NESTING.items():
        if other.attempt(*probe).returncode:
            pytest.skip(f"no lab can be nested here: {why}")
    done(other, "make", "setup")
    return other


def done(other: OtherDebian, *words: str) -> str:
    """Run a command that must succeed, and return what it printed."""
    ended = other.attempt(*words)
    assert ended.returncode == 0, (ended.stdout + ended.stderr)[-SHOWN:]
    return ended.stdout


def test_setup_installs_what_is_missing_for_its_own_python(other: OtherDebian, tell: Tell) -> None:
    done(other, "make", "setup")
    version = done(other, ".venv/bin/python", "--version").split()[1]
    tell(f"Python of {other_debian.release()}", version, PYTHONS[other_debian.release()])
    assert version.startswith(f"{PYTHONS[other_debian.release()]}.")
    assert done(other, "readlink", "--canonicalize", ".venv/bin/python").startswith("/usr/bin/")


def test_the_checks_pass(other: OtherDebian, tell: Tell) -> None:
    said = done(other, "make", "check")
    tell(f"make check on {other_debian.release()}", said.splitlines()[-1], "no failed")


def test_a_lab_boots_heals_and_leaves_nothing(nesting: OtherDebian, tell: Tell) -> None:
    words = ("-m", "not network", "-p", "no:cacheprovider", "tests/lab/test_lab.py")
    said = done(nesting, ".venv/bin/pytest", "-q", *words).splitlines()[-1]
    tell(f"a lab on {other_debian.release()}", said, "all passed, none skipped")
    assert "skipped" not in said


def test_a_bundle_can_be_rehearsed(nesting: OtherDebian, tell: Tell) -> None:
    said = done(nesting, "make", "rehearse")
    (delivered,) = [line for line in said.splitlines() if line.startswith("Delivered in")]
    tell(f"make rehearse on {other_debian.release()}", delivered, "delivered")
