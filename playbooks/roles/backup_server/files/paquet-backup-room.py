#!/usr/bin/python3
"""Close a backup repository that is larger than its room, and open it again when it is smaller.

rest-server knows one size for all. Whoever took a bundle server must not fill this disk for the
others: beyond its line in /etc/paquet/backup-server/room (`NAME:BYTES`) all that lies below NAME
can be read, and nothing can be added. Runs as the user who owns the repositories.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 2
LIST = Path("/etc/paquet/backup-server/room")
# Not the locks: who restores makes one. They are small, so they alone may not grow either.
CLOSED = ("data", "index", "keys", "snapshots")
CONFIG = "config"
LOCKS, LOCKS_ROOM = "locks", 16 << 20
UNFINISHED = ".rest-server-temp"
BLOCK = 4096  # what an empty file costs, too
OPEN_MODE, CLOSED_MODE = 0o700, 0o500


class Folder(NamedTuple):
    """What lies in a folder: when that changed, the disk it takes, and the folders in it."""

    changed: int
    size: int
    folders: tuple[Path, ...]


class LimitedRepository:
    """One repository: what its folders hold, looked at again only where something changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[Path, Folder] = {}

    def keep_within(self, limit: int) -> None:
        """Close or open it; once it is made nobody makes another one in its folder."""
        locks = self._size_below(self.path / LOCKS)
        full = self._size_below(self.path) > limit
        if (self.path / CONFIG).exists():
            set_mode(self.path, CLOSED_MODE)
        shut = {**dict.fromkeys(CLOSED, full), LOCKS: locks > LOCKS_ROOM}
        for top in self._look(self.path).folders:
            # rest-server takes a second repository, in the folder of the first.
            mode = CLOSED_MODE if shut.get(top.name, True) else OPEN_MODE
            for folder in self._below(top):
                set_mode(folder, mode)

    def _size_below(self, top: Path) -> int:
        return sum(self._look(folder).size for folder in self._below(top))

    def _below(self, top: Path) -> Iterator[Path]:
        yield top
        for folder in self._look(top).folders:
            yield from self._below(folder)

    def _look(self, folder: Path) -> Folder:
        try:
            changed = folder.stat().st_mtime_ns
        except FileNotFoundError:
            return Folder(0, 0, ())
        known = self._known.get(folder)
        if known and known.changed == changed:
            return known
        total, growing, folders = 0, False, []
        with os.scandir(folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    # What it takes of the disk: a million small ones fill it too.
                    blocks = entry.stat(follow_symlinks=False).st_blocks
                    total += max(BLOCK, blocks * 512)
                if entry.is_dir(follow_symlinks=False):
                    folders.append(folder / entry.name)
                # One that grows does not change its folder.
                growing = growing or entry.name.endswith((UNFINISHED, CONFIG))
        self._known[folder] = Folder(0 if growing else changed, total, tuple(folders))
        return self._known[folder]


def set_mode(path: Path, mode: int) -> None:
    """Give a folder its mode, and tell when it had another."""
    with contextlib.suppress(FileNotFoundError):
        if stat.S_IMODE(path.stat().st_mode) != mode:
            path.chmod(mode)
            if path.name in (*CLOSED, LOCKS):
                verb = "closed" if mode == CLOSED_MODE else "opened"
                sys.stderr.write(f"{verb} {path.name} of {path.parent.name}\n")


def limits() -> dict[str, int]:
    """Return the room of each repository."""
    lines = LIST.read_text("ascii").splitlines() if LIST.exists() else []
    return {name: int(limit) for name, _, limit in (line.partition(":") for line in lines)}


def main(root: Path) -> None:
    """Look again and again."""
    known: dict[str, LimitedRepository] = {}
    while True:
        for name, limit in limits().items():
            known.setdefault(name, LimitedRepository(root / name)).keep_within(limit)
        time.sleep(SECONDS)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
