"""The other Debian that Paquet may be run from, booted from a fresh root with the present commit.

The root lies over an image of the cache and has a network of its own with a way out. It is told
what pip is told here of where packages come from. Nothing of it stays, nor what a killed run left.
"""

from __future__ import annotations

import ast
import os
import platform
import shutil
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from provision.lab import images, limits, mounts
from provision.lab.groups import Group
from provision.lab.lab import INOTIFY, LOCKS
from provision.lab.machines import TRACES, File, write_files
from provision.lab.network import OUTSIDE_MTU, OUTSIDE_RESOLVER
from provision.lab.plan import LABS
from provision.process.commands import run
from provision.process.files import locked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from provision.lab.lab import Lab
    from provision.process.commands import Completed

OTHERS = {"bookworm": "trixie", "trixie": "bookworm"}
# What a fresh Debian has, and what the README says to install first.
PACKAGES = ("ca-certificates", "dbus", "iproute2", "systemd-sysv", "git", "make", "python3")
NAME = "otherdebian"  # longer than the name of a lab may be
GROUP = Group(NAME)
FOLDER = Path("/var/tmp", NAME)  # noqa: S108 (root's own, made anew)
PROJECT = "/root/paquet"
BOOT_SECONDS = 120
PLACES = ("index-url", "extra-index-url", "proxy", "trusted-host", "timeout", "default-timeout")
CERTIFICATES = "etc/pip-certificates.pem"
HANDED_ON = ("http_proxy", "https_proxy", "no_proxy", "PAQUET_TEST_SEED")
SURROUNDINGS = {
    "HOME": "/root",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
}


def release() -> str:
    """Return the name of the other Debian, or nothing where this computer runs none of the two."""
    return OTHERS.get(platform.freedesktop_os_release().get("VERSION_CODENAME", ""), "")


@dataclass(frozen=True)
class OtherDebian:
    """It runs; `surroundings` is the environment that its commands get."""

    surroundings: Mapping[str, str]

    def attempt(self, *words: str) -> Completed:
        """Run a command as root in the clone, a service of its own, and return how it ended."""
        service = ["systemd-run", "--quiet", "--wait", "--collect", "--pipe"]
        service += [f"--working-directory={PROJECT}"]
        service += [f"--setenv={name}={value}" for name, value in self.surroundings.items()]
        return _inside(*service, "--", "env", *words)  # which finds what lies in the clone


@contextmanager
def machine(lab: Lab) -> Iterator[OtherDebian]:
    """Boot it and yield it; images, mirrors and the cache are those of `lab`, which is not up."""
    recipe = images.Recipe(PACKAGES, lab.mirror, lab.security_mirror, suite=release())
    image = images.image(recipe, lab.cache)
    with locked(LOCKS / f"{NAME}.lock"):
        _clear()
        try:
            limits.raise_to_enough(INOTIFY, LABS)  # machines in it cannot
            root, surroundings = mounts.mount_layers([image], FOLDER), _handed_on()
            _furnish(root, surroundings)
            _boot(root, lab)
            yield OtherDebian(surroundings)
        finally:
            _clear()
            lab.down()  # what labs share goes back when there is none


def _clear() -> None:
    """End all of it and remove it, in whatever state it was left."""
    GROUP.kill()
    GROUP.forget()
    root = FOLDER / "root"
    if mounts.mounted_below(root):
        known = root.stat()
        (TRACES / f"locks/inode-{known.st_dev}:{known.st_ino}").unlink(missing_ok=True)
    for kind in ("propagate", "unix-export"):
        left = TRACES / kind / NAME
        mounts.unmount_below(left)
        shutil.rmtree(left, ignore_errors=True)
    mounts.unmount_below(FOLDER)
    if FOLDER.exists():
        shutil.rmtree(FOLDER)


def _handed_on() -> dict[str, str]:
    """Return the environment of its commands: what pip is told here, as far as it is no folder."""
    told: dict[str, str] = {}
    for line in reversed(run([sys.executable, "-m", "pip", "config", "list"]).stdout.splitlines()):
        name, _, value = line.partition("=")
        told[name.rpartition(".")[2]] = ast.literal_eval(value)  # those of the environment win
    places = {name: told[name] for name in PLACES if name in told and "file:" not in told[name]}
    pip = {f"PIP_{name.upper().replace('-', '_')}": value for name, value in places.items()}
    if "cert" in told:
        pip["PIP_CERT"] = told["cert"]
    return SURROUNDINGS | {key: os.environ[key] for key in HANDED_ON if key in os.environ} | pip


def _furnish(root: Path, surroundings: dict[str, str]) -> None:
    """Give the root its names and a clone of the present commit."""
    files = {
        "etc/hostname": File(f"{NAME}\n"),
        "etc/hosts": File(f"127.0.0.1 localhost\n127.0.1.1 {NAME}\n"),
        "etc/resolv.conf": File(f"nameserver {OUTSIDE_RESOLVER}\n"),
    }
    if "PIP_CERT" in surroundings:
        files[CERTIFICATES] = File(Path(surroundings["PIP_CERT"]).read_text(encoding="utf-8"))
        surroundings["PIP_CERT"] = f"/{CERTIFICATES}"
    write_files(root, files)
    run(["git", "clone", "--quiet", "--no-hardlinks", ".", f"{root}{PROJECT}"])


def _boot(root: Path, lab: Lab) -> None:
    """Start it in a network of its own, and wait until its services run."""
    for name in ("labs", "cache"):
        (FOLDER / name).mkdir()
    network, console = FOLDER / "network", FOLDER / "console.log"
    for file in (network, console):
        file.touch()
    run(["unshare", f"--net={network}", "ip", "link", "set", "lo", "up"])
    GROUP.start("machine", _boot_command(root, network, lab), console)
    gateway = ["slirp4netns", "--netns-type=path", "--configure", "--disable-host-loopback"]
    gateway += [f"--mtu={OUTSIDE_MTU}", str(network), "tap0"]
    GROUP.start("gateway", gateway, FOLDER / "gateway.log")
    deadline = time.monotonic() + BOOT_SECONDS
    while "tap0" not in run(["nsenter", f"--net={network}", "ip", "route"]).stdout or not _runs():
        said = console.read_text(errors="replace")[-500:]
        assert time.monotonic() < deadline, f"it does not come up: {said}"
        time.sleep(0.2)


def _boot_command(root: Path, network: Path, lab: Lab) -> list[str]:
    """Return the systemd-nspawn(1) command; labs in it need disks that are no overlay."""
    folders = {
        FOLDER / "labs": LABS,
        FOLDER / "cache": lab.cache,
        lab.cache / "images": lab.cache / "images",
    }
    return [
        *("env", "UNIFIED_CGROUP_HIERARCHY=yes", "SYSTEMD_NSPAWN_API_VFS_WRITABLE=network"),
        *("systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--console=pipe"),
        *("--link-journal=no", "--resolv-conf=off", "--timezone=off", "--private-users=no"),
        *("--capability=CAP_NET_ADMIN", f"--machine={NAME}", f"--directory={root}"),
        f"--network-namespace-path={network}",
        *(f"--bind={source}:{target}" for source, target in folders.items()),
    ]


def _inside(*words: str) -> Completed:
    """Run a command in all that the first process of the machine is in."""
    spaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd"]
    return run(["nsenter", f"--target={_init()}", *spaces, *words], check=False)


def _init() -> int | None:
    """Return the number by which this computer knows the first process of the machine."""
    for process in GROUP.processes("machine"):
        with suppress(FileNotFoundError, ProcessLookupError):  # others end while we look
            status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
            spaces = next(line for line in status.splitlines() if line.startswith("NSpid:"))
            if spaces.split()[2:] == ["1"]:
                return process
    return None


def _runs() -> bool:
    return _init() is not None and _inside("systemctl", "is-system-running").stdout == "running\n"
