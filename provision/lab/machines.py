"""One machine of a lab: its disk, how it boots, stops, loses power, and how to run things in it."""

from __future__ import annotations

import shlex
import shutil
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from provision.errors import PaquetError
from provision.lab import mounts
from provision.lab.plan import SERVER_NAMES
from provision.process import commands

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provision.lab.groups import Group
    from provision.lab.plan import LabPlan

SSH_PORT = 22
BOOT_PATIENCE = 60.0
REBOOT_GAP = 3.0  # between two boots no process of the machine runs
MOMENT = 0.05
SHOWN = 500  # the last characters of a console that tell why it failed
TRACES = Path("/run/systemd/nspawn")  # a killed systemd-nspawn leaves files here


@dataclass(frozen=True)
class Machine:
    """A machine `name` of `plan`, living in `folder`, its processes in `group`."""

    name: str
    plan: LabPlan
    folder: Path
    group: Group

    @property
    def address(self) -> str:
        """Its address in the lab."""
        return self.plan.address(self.name)

    @property
    def disk(self) -> Path:
        """The folder of its layered disk."""
        return self.folder / "machines" / self.name

    @property
    def _identity(self) -> Path:
        return self.disk / "identity"

    @property
    def _console(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def _unique_name(self) -> str:
        return f"paquet-{self.plan.name}-{self.name}"

    def is_running(self) -> bool:
        """Whether its processes run and its sshd answers."""
        return bool(self.group.processes(self.name)) and self._answers()

    def start(self, layers: Sequence[Path], files: Mapping[str, File]) -> None:
        """Boot it from its disk over `layers`; what an earlier try left is cleared first.

        `files` make a new disk this machine; they are written once, before its first boot.
        """
        self.power_cut()
        root = mounts.mount_layers(layers, self.disk)
        if not self._identity.exists():
            write_files(root, files)
            self._identity.touch()
        self._console.unlink(missing_ok=True)
        self.group.start(self.name, self.boot_command(), self._console)

    def boot_command(self) -> list[str]:
        """Return the systemd-nspawn(1) command; its `--keep-unit` makes a reboot end with 133."""
        return [
            "env",
            "UNIFIED_CGROUP_HIERARCHY=yes",
            "SYSTEMD_NSPAWN_API_VFS_WRITABLE=network",
            "systemd-nspawn",
            "--quiet",
            "--boot",
            "--register=no",
            "--keep-unit",
            "--console=pipe",
            "--link-journal=no",
            "--resolv-conf=off",
            "--timezone=off",
            "--private-users=no",
            "--capability=CAP_NET_ADMIN",
            f"--network-namespace-path={self.folder / 'namespaces' / self.name}",
            f"--machine={self._unique_name}",
            f"--directory={self.disk / 'root'}",
        ]

    def wait(self, patience: float = BOOT_PATIENCE) -> None:
        """Wait until its sshd answers."""
        deadline, alive = time.monotonic() + patience, time.monotonic()
        while not self._answers():
            now = time.monotonic()
            alive = now if self.group.processes(self.name) else alive
            if now > deadline or now - alive > REBOOT_GAP:
                said = self._console.read_text(encoding="utf-8", errors="replace")
                raise PaquetError(
                    f"The lab machine {self.name} does not come up. {said[-SHOWN:]}".strip(),
                    "`paquet lab up` tries again; `paquet lab down`, then up, begins anew.",
                )
            time.sleep(MOMENT)

    def boot_number(self) -> str:
        """Return the number that the machine gave to its running boot."""
        return self.run(["cat", "/proc/sys/kernel/random/boot_id"]).stdout

    def wait_for_next_boot(self, before: str) -> None:
        """Wait until another boot than `before` answers."""
        deadline = time.monotonic() + BOOT_PATIENCE
        while self.run(["cat", "/proc/sys/kernel/random/boot_id"], check=False).stdout in (
            "",
            before,
        ):
            if time.monotonic() > deadline:
                raise PaquetError(f"The lab machine {self.name} does not reboot")
            time.sleep(MOMENT)

    def _answers(self) -> bool:
        try:
            with socket.create_connection((self.address, SSH_PORT), timeout=1) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    def stop(self) -> None:
        """Shut it down in order; one that does not end in time loses its power."""
        self.group.ask_to_end(self.name, "systemd-nspawn")
        self.power_cut()

    def power_cut(self) -> None:
        """End it at once, as a cut of its power would, and release its disk."""
        self.group.kill(self.name)
        self.release()

    def release(self) -> None:
        """Unmount its disk, and remove what systemd-nspawn left in /run; it must have ended."""
        root = self.disk / "root"
        if mounts.mounted_below(root):
            known = root.stat()
            (TRACES / f"locks/inode-{known.st_dev}:{known.st_ino}").unlink(missing_ok=True)
            mounts.unmount_below(root)
        for kind in ("propagate", "unix-export"):  # the second since systemd 257
            left = TRACES / kind / self._unique_name
            mounts.unmount_below(left)
            shutil.rmtree(left, ignore_errors=True)

    def ssh(self, command: Sequence[str] = ()) -> list[str]:
        """Return the ssh command for root on this machine, its host key verified."""
        words = ["ssh", "-i", str(self.folder / "id_ed25519"), "-o", "IdentitiesOnly=yes"]
        words += ["-o", f"UserKnownHostsFile={self.folder / 'known_hosts'}"]
        words += ["-o", "StrictHostKeyChecking=yes", "-o", "LogLevel=ERROR"]
        return [*words, f"root@{self.address}", *([shlex.join(command)] if command else [])]

    def run(
        self, command: Sequence[str], *, given: str = "", check: bool = True
    ) -> commands.Completed:
        """Run `command` in the machine as root."""
        return commands.run(self.ssh(command), given=given, check=check)


@dataclass(frozen=True)
class File:
    """The text and the mode of a file that a machine starts with."""

    text: str
    mode: int = 0o644


def write_files(root: Path, files: Mapping[str, File]) -> None:
    """Write `files` (by their path without the leading slash) into the system at `root`."""
    for path, file in files.items():
        target = root / path
        if not target.parent.exists():
            target.parent.mkdir(parents=True, mode=0o700 if target.parent.name == ".ssh" else 0o755)
        target.unlink(missing_ok=True)
        target.touch(mode=file.mode)
        target.write_text(file.text, encoding="utf-8")
        target.chmod(file.mode)


def identity_files(machine: str, resolver: str, keys: Mapping[str, str]) -> dict[str, File]:
    """Return the files that make an image this machine: names, resolver, keys of ssh.

    `keys` are `host` (private), `host.pub` and `login.pub`, in OpenSSH's format.
    """
    full = SERVER_NAMES[machine]
    short = full.partition(".")[0]
    hosts = f"127.0.0.1 localhost\n127.0.1.1 {full} {short}\n"
    return {
        "etc/hostname": File(f"{short}\n"),
        "etc/hosts": File(hosts),
        "etc/resolv.conf": File(f"nameserver {resolver}\n"),
        "etc/machine-id": File(f"{uuid4().hex}\n", 0o444),
        "etc/ssh/ssh_host_ed25519_key": File(keys["host"], 0o600),
        "etc/ssh/ssh_host_ed25519_key.pub": File(keys["host.pub"]),
        "root/.ssh/authorized_keys": File(keys["login.pub"], 0o600),
    }
