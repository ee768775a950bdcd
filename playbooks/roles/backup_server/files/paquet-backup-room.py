#!/usr/bin/python3
"""Close a backup repository that is larger than its room, and open it again when it is smaller.

rest-server knows one size for all. Whoever took a bundle server must not fill this disk for the
others: beyond its line in /etc/paquet/backup-server/room (`NAME:BYTES`) a repository can be read,
and nothing can be added. Runs as the user who owns the repositories.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import time
from pathlib import Path

SECONDS = 2
LIST = Path("/etc/paquet/backup-server/room")
# Not the locks: who restores makes one. They are small, so they alone may not grow either.
CLOSED = ("data", "index", "keys", "snapshots")
LOCKS, LOCKS_ROOM = "locks", 16 << 20
UNFINISHED = ".rest-server-temp"
BLOCK = 4096  # what an empty file costs, too
OPEN_MODE, CLOSED_MODE = 0o700, 0o500


class Repository:
    """One repository: what its folders hold, looked at again only where something changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[Path, tuple[int, int]] = {}

    def keep_within(self, limit: int) -> None:
        """Close or open it."""
        locks = self._size_of(LOCKS)
        full = locks + sum(self._size_of(folder) for folder in CLOSED) > limit
        for folder in CLOSED:
            for path in self._folders(folder):
                set_mode(path, CLOSED_MODE if full else OPEN_MODE)
        set_mode(self.path / LOCKS, CLOSED_MODE if locks > LOCKS_ROOM else OPEN_MODE)

    def _size_of(self, folder: str) -> int:
        return sum(self._size(path) for path in self._folders(folder))

    def _folders(self, folder: str) -> list[Path]:
        top = self.path / folder
        return [top, *(top.iterdir() if folder == "data" and top.is_dir() else ())]

    def _size(self, folder: Path) -> int:
        try:
            changed = folder.stat().st_mtime_ns
        except FileNotFoundError:
            return 0
        known = self._known.get(folder)
        if known and known[0] == changed:
            return known[1]
        total, growing = 0, False
        with os.scandir(folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    # What it takes of the disk: a million small ones fill it too.
                    blocks = entry.stat(follow_symlinks=False).st_blocks
                    total += max(BLOCK, blocks * 512)
                # One that grows does not change its folder.
                growing = growing or entry.name.endswith(UNFINISHED)
        self._known[folder] = (0 if growing else changed, total)
        return total


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
    known: dict[str, Repository] = {}
    while True:
        for name, limit in limits().items():
            known.setdefault(name, Repository(root / name)).keep_within(limit)
        time.sleep(SECONDS)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
