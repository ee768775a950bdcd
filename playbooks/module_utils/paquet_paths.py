"""Read and replace files as root, without following a link that somebody else planted.

Every path is reached folder by folder. A link on the way is followed only when root made it, so
that a bundle which owns its folder cannot lead root elsewhere.
"""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Larger files are none of ours: a bundle must not make root read until the memory is full.
LARGEST = 16_000_000


class Refused(Exception):
    """What cannot be brought to the wanted state: why, and what Ansible is told besides."""

    def __init__(self, message: str, **told: object) -> None:
        super().__init__(message)
        self.told = told


@dataclass(frozen=True)
class PathEntry:
    """What stands at a path: `kind` is file, directory, link or other."""

    kind: str
    mode: int
    owner: int
    group: int
    content: bytes = b""
    target: str = ""


@dataclass(frozen=True)
class Spot:
    """A name inside an open folder."""

    folder: int
    name: str
    path: str


@contextlib.contextmanager
def place(path: str) -> Iterator[Spot | None]:
    """Given an absolute path, yield its Spot, or None when its folder does not exist."""
    if not path.startswith("/") or os.path.normpath(path) != path or path == "/":
        raise Refused(f"{path}: paths are absolute and plain")
    parent, name = os.path.split(path)
    folder = _open_folder(parent)
    try:
        yield None if folder is None else Spot(folder, name, path)
    finally:
        if folder is not None:
            os.close(folder)


def _open_folder(path: str) -> int | None:
    here = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    for name in path.strip("/").split("/") if path != "/" else []:
        try:
            below = _step(here, name, path)
        except FileNotFoundError:
            return None
        finally:
            os.close(here)
        here = below
    return here


def _step(folder: int, name: str, path: str) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY
    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if not stat.S_ISLNK(status.st_mode):
        try:
            return os.open(name, flags | os.O_NOFOLLOW, dir_fd=folder)
        except NotADirectoryError:
            raise Refused(f"{path}: {name} is not a directory") from None
    if status.st_uid not in (0, os.geteuid()):
        raise Refused(f"{path}: {name} is a link that root did not make")
    return os.open(name, flags, dir_fd=folder)


def look(spot: Spot) -> PathEntry | None:
    """Given a Spot, return the PathEntry that stands there, or None."""
    try:
        status = os.stat(spot.name, dir_fd=spot.folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    about = (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
    if stat.S_ISREG(status.st_mode):
        return PathEntry("file", *about, content=_read(spot))
    if stat.S_ISLNK(status.st_mode):
        return PathEntry("link", *about, target=os.readlink(spot.name, dir_fd=spot.folder))
    return PathEntry("directory" if stat.S_ISDIR(status.st_mode) else "other", *about)


def _read(spot: Spot) -> bytes:
    """Return the text of a file. What was put in its place meanwhile must not make us wait."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    with os.fdopen(os.open(spot.name, flags, dir_fd=spot.folder), "rb") as opened:
        status = os.fstat(opened.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
            raise Refused(f"{spot.path} is larger than any file of ours, or no file")
        return opened.read(LARGEST)


def write(spot: Spot, entry: PathEntry, accept: Callable[[str], None] | None = None) -> None:
    """Put a file there in one step: written beside, flushed to disk, accepted, renamed.

    `accept` gets the path of the finished new file and may raise: the old file then stays.
    """
    beside = f".{spot.name}.paquet-new"
    _forget(spot.folder, beside)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(beside, flags, 0o600, dir_fd=spot.folder), "wb") as new:
        new.write(entry.content)
        os.fchown(new.fileno(), entry.owner, entry.group)
        os.fchmod(new.fileno(), entry.mode)
        new.flush()
        os.fsync(new.fileno())
    try:
        if accept:
            accept(str(Path(spot.path).parent / beside))
        os.rename(beside, spot.name, src_dir_fd=spot.folder, dst_dir_fd=spot.folder)
    finally:
        _forget(spot.folder, beside)
    os.fsync(spot.folder)


def make_link(spot: Spot, target: str) -> None:
    """Point a symbolic link at `target` in one step."""
    beside = f".{spot.name}.paquet-new"
    _forget(spot.folder, beside)
    os.symlink(target, beside, dir_fd=spot.folder)
    os.rename(beside, spot.name, src_dir_fd=spot.folder, dst_dir_fd=spot.folder)
    os.fsync(spot.folder)


def own(spot: Spot, entry: PathEntry) -> None:
    """Give a standing file or directory its owner, group and mode."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(spot.name, flags, dir_fd=spot.folder)
    try:
        os.fchown(descriptor, entry.owner, entry.group)
        os.fchmod(descriptor, entry.mode)
    finally:
        os.close(descriptor)


def _forget(folder: int, name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
