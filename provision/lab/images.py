"""The images that lab machines start from: built once with mmdebstrap, kept in the cache."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from provision.errors import PaquetError
from provision.process import commands
from provision.process.files import locked

if TYPE_CHECKING:
    from pathlib import Path

# What this computer needs to run a lab (Debian package names).
HOST_PACKAGES = (
    "debian-archive-keyring",
    "iproute2",
    "mmdebstrap",
    "nftables",
    "openssh-client",
    "procps",
    "slirp4netns",
    "systemd-container",
)
HOST_PROGRAMS = (
    "ip",
    "mmdebstrap",
    "nft",
    "slirp4netns",
    "ssh",
    "ssh-keygen",
    "sysctl",
    "systemd-nspawn",
)

# What a freshly rented Debian 13 server has; all else is for `server prepare` to install.
BARE_PACKAGES = (
    "apt-utils",
    "ca-certificates",
    "dbus",
    "iproute2",
    "iputils-ping",
    "less",
    "libpam-systemd",
    "openssh-server",
    "python3",
    "python3-apt",
    "sudo",
    "systemd-sysv",
    "tzdata",
)

# Nothing that must differ between machines may be in an image.
CLEAN = (
    'rm -f "$1"/etc/ssh/ssh_host_*',
    'rm -f "$1"/etc/resolv.conf "$1"/etc/hostname',
    ': >"$1"/etc/machine-id',
    'rm -f "$1"/var/lib/dbus/machine-id',
)


@dataclass(frozen=True)
class Recipe:
    """All that decides what is in an image."""

    packages: tuple[str, ...]
    mirror: str
    security_mirror: str
    suite: str = "trixie"
    customize: tuple[str, ...] = CLEAN

    @property
    def digest(self) -> str:
        """Sixteen characters that change when the image would."""
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()[:16]

    @property
    def sources(self) -> tuple[str, ...]:
        """The lines of sources.list(5)."""
        return (
            f"deb {self.mirror} {self.suite} main",
            f"deb {self.mirror} {self.suite}-updates main",
            f"deb {self.security_mirror} {self.suite}-security main",
        )


def image(recipe: Recipe, cache: Path) -> Path:
    """Return the folder of the image of `recipe`, building it when the cache has none.

    Two builders do not meet: the second waits for the first and finds its image.
    """
    folder = cache / "images" / recipe.digest
    if not folder.exists():
        with locked(cache / "images" / f"{recipe.digest}.lock"):
            if not folder.exists():
                _build(recipe, folder)
    return folder


def _build(recipe: Recipe, folder: Path) -> None:
    for abandoned in folder.parent.glob(f"{recipe.digest}.*.partial"):
        shutil.rmtree(abandoned)
    partial = folder.with_name(f"{recipe.digest}.{uuid4().hex[:8]}.partial")
    commands.run([*DIES_WITH_US, *bootstrap_command(recipe, partial)])
    if not (partial / "sbin/init").exists():
        raise PaquetError(f"mmdebstrap left no system in {partial}")
    partial.rename(folder)


# A build must not outlive us and write into what the next one removes: its process ends with
# ours, and all that it started with it.
DIES_WITH_US = (
    "setpriv",
    "--pdeathsig=KILL",
    "unshare",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
)


def bootstrap_command(recipe: Recipe, target: Path) -> list[str]:
    """Return the mmdebstrap(1) command that makes `recipe` in the folder `target`."""
    return [
        "mmdebstrap",
        "--variant=minbase",
        "--format=directory",
        f"--include={','.join(recipe.packages)}",
        *(f"--customize-hook={line}" for line in recipe.customize),
        recipe.suite,
        str(target),
        *recipe.sources,
    ]
