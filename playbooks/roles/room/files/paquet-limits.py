#!/usr/bin/python3
"""Give each bundle the limit of the file system where there is one, and tell who is over its room.

For each /etc/paquet/room/NAME.json: the home of the bundle and the folder of its mail become
projects of the file system's quotas (ext4 or XFS, mounted with prjquota), each with the bundle's
room as its hard limit. /var/lib/paquet/room.json then holds what each takes, what it may, and
whether the kernel sees to it: {"NAME": {"files": {"taken", "room", "kernel"}, "mail": {...}}}.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import pwd
import stat
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS, BUNDLES = Path("/etc/paquet/room"), Path("/srv/bundles")
TOLD = Path("/var/lib/paquet/room.json")
# Projects are numbers: those of Unix users, and beyond them for mail.
FILES, MAIL = 1_000_000, 2_000_000
# linux/fs.h: struct fsxattr is xflags, extsize, nextents, projid, cowextsize and eight free bytes
GET_ATTRIBUTES, SET_ATTRIBUTES, ATTRIBUTES = 0x801C581F, 0x401C5820, "5I8x"
INHERITED, PROJECT = 0x200, 3
# linux/quota.h and dqblk: limits in KiB, then room in bytes, files, times and which of them count
QUOTACTL_FD, GET_QUOTA, SET_QUOTA, OF_PROJECT = 443, 0x800007, 0x800008, 2
QUOTA, LIMITS = "8QI4x", 1 | 4
BYTES_A_FILE, FEWEST_FILES = 16384, 100_000
DU_SECONDS = 600
LIBRARY = ctypes.CDLL(None, use_errno=True)


def quota(descriptor: int, command: int, project: int, values: list[int]) -> list[int]:
    """Call quotactl_fd(2) for a project and return its values."""
    block = ctypes.create_string_buffer(struct.pack(QUOTA, *values))
    command = command << 8 | OF_PROJECT
    if LIBRARY.syscall(QUOTACTL_FD, descriptor, command, project, block):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return list(struct.unpack(QUOTA, block.raw[: struct.calcsize(QUOTA)]))


def enforce(folder: Path, project: int, room: int) -> bool:
    """Make the kernel hold `folder` within `room`; return whether it does."""
    with opened(folder) as top:
        try:
            standing = quota(top, GET_QUOTA, project, [0] * 9)
        except OSError:
            return False  # no project quotas on this file system
        files = FEWEST_FILES + room // BYTES_A_FILE
        if [standing[0], standing[3]] != [room // 1024, files]:
            values = [room // 1024, 0, 0, files, 0, 0, 0, 0, LIMITS]
            quota(top, SET_QUOTA, project, values)
        if project_of(top) != project:
            adopt(folder, project)
        return True


@contextlib.contextmanager
def opened(path: Path | str, folder: int | None = None) -> Iterator[int]:
    """Open what a bundle owns without being led elsewhere."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(path, flags, dir_fd=folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def project_of(descriptor: int) -> int:
    """Return the project of an open file."""
    buffer = fcntl.ioctl(descriptor, GET_ATTRIBUTES, bytes(struct.calcsize(ATTRIBUTES)))
    return int(struct.unpack(ATTRIBUTES, buffer)[PROJECT])


def adopt(folder: Path, project: int) -> None:
    """Make all that stands in `folder` of the project; what comes later is by inheritance.

    The folder itself comes last: it says that all was done.
    """
    for _, folders, files, here in os.fwalk(folder, topdown=False, follow_symlinks=False):
        for name in (*files, *folders):
            # Who is in the bundle may exchange names meanwhile: the next run finds what is left.
            with contextlib.suppress(OSError):
                mode = os.stat(name, dir_fd=here, follow_symlinks=False).st_mode
                if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
                    with opened(name, here) as descriptor:
                        set_project(descriptor, project)
    with opened(folder) as descriptor:
        set_project(descriptor, project)


def set_project(descriptor: int, project: int) -> None:
    """Put one open file into the project, and a folder's heirs too."""
    buffer = fcntl.ioctl(descriptor, GET_ATTRIBUTES, bytes(struct.calcsize(ATTRIBUTES)))
    values = list(struct.unpack(ATTRIBUTES, buffer))
    values[PROJECT] = project
    values[0] |= INHERITED if stat.S_ISDIR(os.fstat(descriptor).st_mode) else 0
    fcntl.ioctl(descriptor, SET_ATTRIBUTES, struct.pack(ATTRIBUTES, *values))


def taken(folder: Path) -> int:
    """Return what all below `folder` takes on the disk, however many and deep its folders are."""
    words = ["/usr/bin/du", "--summarize", "--block-size=1", "--one-file-system", "--", str(folder)]
    # It ends with 1 when something went away meanwhile.
    said = subprocess.run(words, capture_output=True, text=True, check=False, timeout=DU_SECONDS)
    return int(said.stdout.partition("\t")[0])


def look(folder: Path, project: int, room: int) -> dict[str, object] | None:
    """Limit one folder and return what to tell of it."""
    if not folder.is_dir():
        return None
    kernel = enforce(folder, project, room)
    return {"taken": taken(folder), "room": room, "kernel": kernel}


def look_at_bundle(path: Path) -> dict[str, dict[str, object] | None]:
    """Limit one bundle, given its settings, and return what to tell of it."""
    settings, name = json.loads(path.read_text("utf-8")), path.stem
    number = pwd.getpwnam(name).pw_uid
    told = {
        "files": look(BUNDLES / name, FILES + number, settings["all"]),
        "mail": look(Path(settings["mail"]), MAIL + number, settings["all"]),
    }
    for what, one in told.items():
        if one and one["taken"] > one["room"]:
            sys.stderr.write(f"{name} is over its room: {what} {one['taken']} {one['room']}\n")
    return told


def main() -> None:
    """Look at every bundle, and tell."""
    told = {}
    for path in sorted(SETTINGS.glob("*.json")):
        # What one bundle does must not keep the others from their limits.
        try:
            told[path.stem] = look_at_bundle(path)
        except (OSError, KeyError, ValueError, subprocess.TimeoutExpired) as wrong:
            sys.stderr.write(f"{path.stem} was not measured: {wrong}\n")
    beside = TOLD.with_suffix(".new")
    beside.write_text(json.dumps(told), "utf-8")
    beside.rename(TOLD)


if __name__ == "__main__":
    main()
