"""What is mounted below a folder, and how it goes away; a layered disk made of folders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from provision.process import commands

if TYPE_CHECKING:
    from collections.abc import Sequence

MOUNTS = Path("/proc/self/mounts")


def mounted_below(folder: Path) -> list[str]:
    """Return the mount points at or below `folder`, the innermost first."""
    return [point for point in reversed(mount_points(MOUNTS)) if Path(point).is_relative_to(folder)]


def mount_points(table: Path) -> list[str]:
    """Return the mount points of a table in the format of fstab(5), in the order of mounting."""
    lines = table.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line.split(" ")[1].encode().decode("unicode_escape") for line in lines]


def unmount_below(folder: Path) -> None:
    """Unmount all at or below `folder`; what is still in use disappears when its user ends."""
    for point in mounted_below(folder):
        if commands.run(["umount", point], check=False).returncode:
            commands.run(["umount", "--lazy", point])


def mount_layers(layers: Sequence[Path], disk: Path) -> Path:
    """Mount `disk`/root: reads fall through `layers`, topmost first; `disk`/upper has writes."""
    root = disk / "root"
    for name in ("upper", "work", "root"):
        (disk / name).mkdir(parents=True, exist_ok=True)
    lower = ":".join(str(layer) for layer in layers)
    options = f"lowerdir={lower},upperdir={disk / 'upper'},workdir={disk / 'work'}"
    commands.run(["mount", "-t", "overlay", "overlay", "-o", options, str(root)])
    return root
