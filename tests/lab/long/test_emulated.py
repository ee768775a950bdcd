"""Limits that the kernel holds, on a machine that has a kernel of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from provision.shipped import share
from tests.lab.long import emulated
from tests.lab.long.emulated import what_this_computer_lacks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.lab.long.emulated import Emulated

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]
MIB = 1 << 20
BUNDLE, MAIL = "bprobe001", "/srv/mail/probe.test"
ROOM = 20 * MIB
HOGS = ("paquet-meter@", "paquet-cache@")
HOG = """[Unit]
Requires=
[Service]
Type=oneshot
Restart=no
ExecStart=
ExecPaths=
ExecPaths=/usr/bin/python3 /usr/lib
ExecStart=/usr/bin/python3 -c "held = b'x' * (200 << 20)"
"""
# Grows a file as the bundle until it is told to stop, and tells why, and how far it came.
GROW = f"""
import os, pwd, sys
known = pwd.getpwnam("{BUNDLE}")
os.setgid(known.pw_gid)
os.setuid(known.pw_uid)
path, piece, why = sys.argv[1], bytes(1 << 20), ""
with open(path, "wb", buffering=0) as grown:
    try:
        for _ in range(60):
            grown.write(piece)
    except OSError as refused:
        why = refused.strerror
print(os.stat(path).st_blocks * 512, why)
os.unlink(path)
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    """A Debian 13 whose /srv has project quotas."""
    if lacking := what_this_computer_lacks():
        pytest.skip(f"no machine can be emulated here: {lacking} is missing")
    with emulated.machine(
        tmp_path_factory.mktemp("emulated"), ["python3", "python3-psycopg"]
    ) as made:
        yield made


def test_the_emulated_machine_has_what_lab_machines_lack(machine: Emulated) -> None:
    assert "prjquota" in machine.run(["findmnt", "--noheadings", "--output=OPTIONS", "/srv"])
    assert "memory" in machine.run(["cat", "/sys/fs/cgroup/cgroup.controllers"])


@pytest.fixture(scope="module")
def limited(machine: Emulated) -> dict[str, Any]:
    """A bundle whose home and mail stood before it got its limits; what our program told."""
    roles = share("playbooks") / "roles"
    people = {"people": ROOM, "users": {"anna@probe.test": ROOM}}
    room = {"all": ROOM, "mail": MAIL, "database": False, **people}
    machine.run(["useradd", "--system", "--user-group", BUNDLE])
    homes = [f"/srv/bundles/{BUNDLE}/webdav", f"{MAIL}/anna"]
    machine.run(["mkdir", "--parents", "/usr/local/lib/paquet", "/etc/paquet/room", *homes])
    machine.run(["mkdir", "--parents", "/var/lib/paquet", f"/run/paquet/{BUNDLE}"])
    machine.run(["truncate", "--size=1M", f"{homes[0]}/standing"])
    machine.run(["chown", "--recursive", f"{BUNDLE}:", f"/srv/bundles/{BUNDLE}", MAIL])
    lay(machine, "/root/grow.py", GROW)
    lay(machine, f"/etc/paquet/room/{BUNDLE}.json", json.dumps(room))
    programs = {
        "/usr/local/lib/paquet": roles / "room/files/paquet-limits.py",
        "/etc/systemd/system": roles / "room/files/paquet-limits.service",
    }
    for folder, file in programs.items():
        lay(machine, f"{folder}/{file.name}", file.read_text("utf-8"))
    assert grown(machine, homes[0])[0] >= 60 * MIB, "without a limit it grows"
    machine.run(["systemctl", "daemon-reload"])
    machine.run(["systemctl", "start", "paquet-limits.service"])
    told: dict[str, Any] = json.loads(machine.run(["cat", "/var/lib/paquet/room.json"]))
    return told


def lay(machine: Emulated, path: str, text: str) -> None:
    machine.run(["tee", path], given=text)


def grown(machine: Emulated, folder: str) -> tuple[int, str]:
    size, _, why = machine.run(["python3", "/root/grow.py", f"{folder}/big"]).partition(" ")
    return int(size), why.strip()


@pytest.mark.parametrize("folder", [f"/srv/bundles/{BUNDLE}/webdav", f"{MAIL}/anna"])
def test_the_file_system_stops_a_bundle_at_its_room(
    folder: str,
    machine: Emulated,
    limited: dict[str, Any],
    tell: Callable[[str, object, object], None],
) -> None:
    assert limited[BUNDLE]["kernel"]
    size, why = grown(machine, folder)
    tell(f"ext4 with project quotas, {folder}: bytes over", max(0, size - ROOM), 0)
    assert why == "Disk quota exceeded"
    assert 0 < size <= ROOM


def test_files_and_mail_share_one_limit(machine: Emulated, limited: dict[str, Any]) -> None:
    """What mail takes is not there for files: the folder of mail is of the same project."""
    assert limited
    machine.run(["fallocate", "--length=15M", f"{MAIL}/anna/kept"])
    machine.run(["chown", f"{BUNDLE}:", f"{MAIL}/anna/kept"])
    size, why = grown(machine, f"/srv/bundles/{BUNDLE}/webdav")
    machine.run(["rm", f"{MAIL}/anna/kept"])
    assert why == "Disk quota exceeded"
    assert 0 < size <= ROOM - 15 * MIB


def test_limits_that_stand_are_not_set_again(machine: Emulated, limited: dict[str, Any]) -> None:
    machine.run(["systemctl", "start", "paquet-limits.service"])
    told = json.loads(machine.run(["cat", "/var/lib/paquet/room.json"]))
    assert told == {BUNDLE: {**limited[BUNDLE], "measured": told[BUNDLE]["measured"]}}
    report = machine.run(["repquota", "-P", "-n", "/srv"])
    assert report.count(str(ROOM // 1024)) == 1


def test_only_outside_of_our_fences_a_file_leaves_its_project(
    machine: Emulated, limited: dict[str, Any], tell: Callable[[str, object, object], None]
) -> None:
    assert limited
    leave = ["chattr", "-p", "0", f"/srv/bundles/{BUNDLE}/webdav/standing"]
    fence = ["systemd-run", "--quiet", "--wait", "-p", f"User={BUNDLE}", "-p", "PrivateUsers=yes"]
    fenced = machine.attempt([*fence, *leave]).returncode
    tell("chattr -p 0 by the bundle inside PrivateUsers=: exit code", fenced, "not 0")
    assert fenced != 0


@pytest.mark.parametrize("unit", HOGS)
def test_a_unit_that_takes_too_much_memory_is_ended(
    unit: str,
    machine: Emulated,
    limited: dict[str, Any],
    tell: Callable[[str, object, object], None],
) -> None:
    assert limited
    roles = share("playbooks") / "roles"
    (file,) = roles.glob(f"*/files/{unit}.service")
    lay(machine, f"/etc/systemd/system/{file.name}", file.read_text("utf-8"))
    machine.run(["mkdir", "--parents", f"/etc/systemd/system/{file.name}.d"])
    lay(machine, f"/etc/systemd/system/{file.name}.d/hog.conf", HOG)
    lay(machine, f"/etc/systemd/system/{unit}.socket", "[Socket]\nListenStream=/run/%p\n")
    machine.run(["systemctl", "daemon-reload"])
    machine.attempt(["systemctl", "start", f"{unit}{BUNDLE}.service"])
    show = ["systemctl", "show", "--value", "--property=Result", f"{unit}{BUNDLE}.service"]
    result = machine.run(show).strip()
    tell(f"200 MiB in {unit}, which may have 128", result, "oom-kill")
    assert result == "oom-kill"
