"""How full the rooms of one bundle are: measured now and then, and counted in between."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from os import PathLike

SETTINGS, BUNDLES = Path("/etc/paquet/room"), Path("/srv/bundles")
# What paquet-limits.py saw of its mail, by address: nobody but Dovecot reads that itself.
MAIL = "/run/paquet/{}/inner/mail.json"
# Not Debian's wrapper, which reads configuration that is not for everybody.
PSQL = ["/usr/lib/postgresql/17/bin/psql", "--host", "/run/postgresql", "--no-psqlrc"]
PSQL += ["--no-align", "--tuples-only", "--dbname"]
# The bundle owns the database: without this, functions of its own would say how large it is.
OPTIONS = "options='-c search_path=pg_catalog -c local_preload_libraries='"
SIZE = "select pg_database_size(current_database())"
BLOCK = 4096  # what an empty file costs, too
# Measuring takes a tenth of the time at most, or as long as somebody waits; a minute is old, and so
# is what a server behind that writes RATE bytes each second unseen could have filled the room in.
SHARE, PATIENCE, OLD, RATE = 10.0, 10.0, 60.0, 100 << 20
# Who only asks how much is left waits so long for a measure, and else gets the one before.
SOON = 2.0
# What passed since, so often, is more than what is left: a measure may tell of more room.
TELLING = 4
# With less room than this, a copy is measured before anything else is let in.
DOUBT = 1 << 30
# Small requests find some room in a full cloud: whoever is full must be able to log in and tidy.
RESERVE = 8 << 20
# What a server behind has not finished is in no user's folder, and counted as it passes.
PASSING = "upload"
# Where light keeps what is a user's, and Nextcloud the files of all.
USERS_FOLDERS, FILES = ("webdav/files", "dav/collection-root"), "data/*/files"


class Full(Exception):
    """The room is used up."""


class Unmeasured(Exception):
    """Nobody knows how full it is: PostgreSQL is away, or a folder is too deep."""


@dataclass(eq=False)
class Passage:
    """One request: what it has brought so far."""

    carried: int = 0
    copies: bool = False


class Room:
    """How full something is: measured now and then, and what passes added meanwhile."""

    def __init__(self, measure: Callable[[], int]) -> None:
        self._measure = measure
        self._passing: set[Passage] = set()
        self._ended = 0
        self._filled = 0
        self._tried = self._began = float("-inf")
        self._took = 0.0
        self._alone = asyncio.Lock()
        self._doubted = False
        self._looking: set[asyncio.Task[None]] = set()

    @contextlib.contextmanager
    def passage(self) -> Iterator[Passage]:
        """Count one request until it ends, and afterwards until it is measured."""
        passage = Passage()
        self._passing.add(passage)
        try:
            yield passage
        finally:
            self._passing.remove(passage)
            self._ended += passage.carried
            self._doubted |= passage.copies

    async def holds(self, more: int, limit: int) -> bool:
        """Whether `more` bytes fit below `limit`; measured anew before it is denied."""
        asked = time.monotonic()
        free = limit - self._used() - more
        old = asked - self._began > min(OLD, max(SHARE * self._took, free / RATE))
        if old or free < 0 or (self._doubted and free < DOUBT):
            await self._look(asked)
        return self._used() + more <= limit

    async def taken(self, limit: int) -> int:
        """Return how much is taken of `limit`; raise Unmeasured when nobody knows in time.

        Measured lately, and anew when so much passed since that it would tell: what was sent in
        pieces counts twice until then. What passes now is left out: who asks may be serving it.
        """
        asked = time.monotonic()
        left = limit - self._filled - self._ended
        if asked - self._began > OLD or self._ended * TELLING > left:
            looking = asyncio.create_task(self._look(asked))
            self._looking.add(looking)
            looking.add_done_callback(self._looked)
            done, _ = await asyncio.wait({looking}, timeout=SOON)
            for task in done:
                task.result()
        if self._began == float("-inf"):
            raise Unmeasured
        return self._filled + self._ended

    def _looked(self, looking: asyncio.Task[None]) -> None:
        """Let a look go that has ended: who began it may wait for it no longer."""
        self._looking.discard(looking)
        if not looking.cancelled():
            looking.exception()

    def _used(self) -> int:
        return self._filled + self._ended + sum(passage.carried for passage in self._passing)

    async def _look(self, asked: float) -> None:
        async with self._alone:
            if self._began > asked:
                return  # somebody else looked meanwhile
            rest = self._tried + min(SHARE * self._took, PATIENCE) - asked
            await asyncio.sleep(max(0.0, rest))
            self._tried, ended, self._doubted = time.monotonic(), self._ended, False
            try:
                self._filled = await asyncio.to_thread(self._measure)
            except (OSError, subprocess.SubprocessError) as wrong:
                self._began = float("-inf")
                raise Unmeasured from wrong
            finally:
                self._took = time.monotonic() - self._tried
            self._began = self._tried
            self._ended -= ended


def size_of(path: PathLike[str] | str, *, without: str = "") -> int:
    """Return what a file, or a folder with all below it, takes on the disk; 0 where none stands."""
    top = os.fspath(path)
    total, folders = 0, [top]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                children = [entry for entry in entries if folder != top or entry.name != without]
        except (FileNotFoundError, NotADirectoryError):  # gone meanwhile
            continue
        total += BLOCK
        for entry in children:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
                continue
            with contextlib.suppress(FileNotFoundError):  # temporary files come and go
                total += max(BLOCK, entry.stat(follow_symlinks=False).st_blocks * 512)
    return total


def database_size(name: str) -> int:
    """Return what the bundle's database takes on the disk."""
    words = [*PSQL, f"dbname={name} {OPTIONS}", "--command", SIZE]
    said = subprocess.run(words, capture_output=True, check=True)
    return int(said.stdout)


class Limited(NamedTuple):
    """A room with the bytes that it holds at most, and how many more small requests may take.

    What nothing tells the size of (`unseen`) comes into the room of the whole bundle alone.
    """

    room: Room
    limit: int
    reserve: int
    unseen: bool = False


class MeteredBundle:
    """One bundle: its settings, read again when they change, and its rooms."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._home = BUNDLES / name
        self._path = SETTINGS / f"{name}.json"
        self._stamp: tuple[int, int] | None = None
        self._settings: dict[str, Any] = {}
        self._all, self._people = Room(self._measure_all), Room(self._measure_people)
        self._users: dict[str, Room] = {}
        self.copying = asyncio.Lock()

    def settings(self) -> dict[str, Any]:
        """Return the settings that stand now."""
        status = self._path.stat()
        if (status.st_mtime_ns, status.st_ino) != self._stamp:
            self._settings = json.loads(self._path.read_text("utf-8"))
            # A bundle that was not deployed since people of one share their room.
            self._settings.setdefault("people", self._settings["all"])
            self._stamp = (status.st_mtime_ns, status.st_ino)
        return self._settings

    def _mail(self) -> dict[str, int]:
        try:
            told: dict[str, int] = json.loads(Path(MAIL.format(self._name)).read_text("utf-8"))
        except FileNotFoundError:  # the machine has just started
            return {}
        return told

    def _measure_all(self) -> int:
        kept = size_of(self._home, without=PASSING) + sum(self._mail().values())
        return kept + (database_size(self._name) if self._settings["database"] else 0)

    def _measure_people(self) -> int:
        light = [self._home / folder for folder in USERS_FOLDERS]
        folders = self._home.glob(FILES) if self._settings["database"] else light
        return sum(map(size_of, folders)) + sum(self._mail().values())

    def _measure_user(self, user: str) -> int:
        folders = [self._home / folder / user for folder in USERS_FOLDERS]
        return sum(map(size_of, folders)) + self._mail().get(user, 0)

    def rooms(self, user: str) -> list[Limited]:
        """Return the rooms that hold a request of `user`, the narrowest last.

        All that the bundle takes, what its people take together, and where somebody may take less
        than that, what he takes.
        """
        settings = self.settings()
        reserve = RESERVE if settings["database"] else 0
        rooms = [Limited(self._all, settings["all"], RESERVE, unseen=True)]
        rooms.append(Limited(self._people, settings["people"], reserve))
        share = settings["users"].get(user, 0) if user else settings["people"]
        if share < settings["people"]:
            room = self._users.setdefault(user, Room(lambda: self._measure_user(user)))
            rooms.append(Limited(room, share, 0))
        return rooms
