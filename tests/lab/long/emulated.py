"""A Debian 13 with a kernel of its own, emulated by QEMU: for what lab machines cannot show.

Lab machines share this computer's kernel, which may lack project quotas and the controllers of
control groups. An emulated machine is slow (a boot takes minutes) and has both; its /srv is an
ext4 with project quotas.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.commands.begin import lab as lab_command
from provision.commands.shared.context import Context
from provision.lab import images
from provision.process.commands import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from provision.process.commands import Completed

PROGRAMS = ("qemu-system-x86_64", "mke2fs", "mmdebstrap")
PACKAGES = ("linux-image-cloud-amd64", "e2fsprogs", "quota")
BOOT_SECONDS = 900
NETWORK = "[Match]\nName=en* eth*\n[Network]\nDHCP=yes\n"
DISKS = {"system": "4G", "srv": "1G"}
QUOTAS = ("-O", "quota,project", "-E", "quotatype=prjquota")


def what_this_computer_lacks() -> str:
    """Return the first program that is not here, or nothing."""
    return next((name for name in PROGRAMS if not shutil.which(name)), "")


@dataclass(frozen=True)
class Emulated:
    """A running machine, reached by ssh through a port of the loopback."""

    folder: Path
    port: int

    def run(self, words: Sequence[str], *, check: bool = True, given: str = "") -> str:
        """Run one command as root and return what it printed."""
        return self.attempt(words, check=check, given=given).stdout

    def attempt(self, words: Sequence[str], *, check: bool = False, given: str = "") -> Completed:
        """Run one command as root and return how it ended."""
        return run([*self.ssh(), "--", *words], check=check, given=given)

    def ssh(self) -> list[str]:
        """Return the beginning of an ssh command to the machine."""
        options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"]
        words = [word for option in options for word in ("-o", option)]
        key = str(self.folder / "key")
        return ["ssh", "-i", key, *words, "-p", str(self.port), "root@127.0.0.1"]


@contextmanager
def machine(folder: Path, packages: Sequence[str] = ()) -> Iterator[Emulated]:
    """Build the disks in `folder`, boot, and yield the machine; nothing of it stays running."""
    lab = lab_command.chosen(Context(folder / "none.toml"), "emulated")
    wanted = (*images.BARE_PACKAGES, *PACKAGES, *packages)
    image = images.image(images.Recipe(wanted, lab.mirror, lab.security_mirror), lab.cache)
    root = _furnished(image, folder)
    for name, size in DISKS.items():
        more = ("-d", str(root)) if name == "system" else QUOTAS
        run(["mke2fs", "-q", "-t", "ext4", *more, str(folder / f"{name}.img"), size])
    (folder / "console.log").touch()
    emulated = Emulated(folder, _free_port())
    with subprocess.Popen(_command(emulated, root), stdout=subprocess.DEVNULL) as process:
        try:
            _wait(emulated, process)
            yield emulated
        finally:
            process.kill()


def _furnished(image: Path, folder: Path) -> Path:
    """Return a copy of the image's files that lets us in and mounts /srv."""
    root = folder / "root"
    run(["cp", "-a", str(image), str(root)])
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key")])
    run(["ssh-keygen", "-A", "-f", str(root)])
    ssh = root / "root/.ssh"
    ssh.mkdir(mode=0o700, exist_ok=True)
    shutil.copy(folder / "key.pub", ssh / "authorized_keys")
    (root / "etc/systemd/network/any.network").write_text(NETWORK)
    wants = root / "etc/systemd/system/multi-user.target.wants"
    (wants / "systemd-networkd.service").symlink_to("/lib/systemd/system/systemd-networkd.service")
    (root / "etc/fstab").write_text("/dev/vdb /srv ext4 prjquota 0 2\n")
    return root


def _free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def _command(emulated: Emulated, root: Path) -> list[str]:
    kernel, initrd = (next((root / "boot").glob(f"{name}-*")) for name in ("vmlinuz", "initrd.img"))
    disks = [
        word
        for name in DISKS
        for word in ("-drive", f"file={emulated.folder / name}.img,if=virtio,format=raw")
    ]
    network = f"user,model=virtio-net-pci,restrict=on,hostfwd=tcp:127.0.0.1:{emulated.port}-:22"
    return [
        *("qemu-system-x86_64", "-M", "q35", "-accel", "tcg", "-cpu", "max", "-m", "1024"),
        *("-display", "none", "-serial", f"file:{emulated.folder / 'console.log'}"),
        *("-kernel", str(kernel), "-initrd", str(initrd)),
        *("-append", "root=/dev/vda rw console=ttyS0", *disks, "-nic", network),
    ]


def _wait(emulated: Emulated, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + BOOT_SECONDS
    while emulated.attempt(["systemctl", "is-system-running"]).stdout.strip() != "running":
        assert process.poll() is None, "QEMU ended"
        said = (emulated.folder / "console.log").read_text(errors="replace")[-500:]
        assert time.monotonic() < deadline, f"it does not come up: {said}"
        time.sleep(2)
