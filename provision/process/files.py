"""Files that other processes may read or write at the same moment: whole or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PRIVATE = 0o600
PUBLIC = 0o644
IN_MEMORY = "paquet-held-"  # how the names of our folders in memory begin
LONGEST = 56  # bytes of a path that such a folder can have above it: a control socket's has 107


def replace_file(path: Path, content: bytes, mode: int = PRIVATE) -> None:
    """Write `content` beside `path` and rename: a killed run leaves the old file or the new one."""
    descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def write_private(folder: Path, contents: Mapping[str, bytes]) -> list[Path]:
    """Write files that only their owner reads into `folder` (0700, files 0600); return them.

    All are on the disk when this returns; each replaces an earlier one whole.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name, content in contents.items():
        replace_file(folder / name, content)
    entry = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(entry)
    finally:
        os.close(entry)
    return [folder / name for name in contents]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path`; the kernel releases it when this process ends, however it ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def locked_if_free(path: Path) -> Iterator[bool]:
    """Hold the lock file `path` and yield True; yield False where another process holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


@contextmanager
def folder_in_memory() -> Iterator[Path]:
    """Give a folder in memory that only we can read, and remove it afterwards.

    What killed processes of ours left there goes first. Its path is short enough for a control
    socket in it, whose name is ssh's own (sun_path of unix(7): 107 bytes).
    """
    memory = _memory()
    _sweep(memory)
    folder, held = _held_folder(memory)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def _memory() -> Path:
    """Return a folder whose files never reach a disk, if there is one."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    for folder in (Path(runtime) if runtime else None, Path("/dev/shm")):  # noqa: S108
        if not folder or len(os.fsencode(folder)) > LONGEST:
            continue
        if folder.is_dir() and os.access(folder, os.W_OK):
            return folder
    return Path(tempfile.gettempdir())


def _held_folder(memory: Path) -> tuple[Path, int]:
    """Make a folder and hold it, as its descriptor; one that was swept meanwhile is made anew."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=IN_MEMORY, dir=memory))
        with suppress(FileNotFoundError):
            held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            with suppress(BlockingIOError):
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if folder.exists():
                    return folder, held
            os.close(held)


def _sweep(memory: Path) -> None:
    """Remove the folders that no process holds any more; others' are not ours to look into."""
    for folder in memory.glob(f"{IN_MEMORY}*"):
        with suppress(OSError):
            held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if os.fstat(held).st_uid == os.geteuid():
                    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(held)
