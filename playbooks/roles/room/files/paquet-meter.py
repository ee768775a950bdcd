#!/usr/bin/python3
"""Keep what one bundle writes within its room, while it streams: `paquet-meter NAME`.

nginx sends each request that may write through here, as HTTP/1.1, one request on each connection,
to what serves the bundle. Bytes are counted as they pass, of all requests together; when the room
is used up the answer is 507 and the server behind sees an upload that broke off. A program of the
bundle that writes by itself says `BOOK` instead, with X-Paquet-User and X-Paquet-Growth, and holds
the connection while it writes.

A copy brings no bytes: what serves the bundle is asked first how large its source is, and one is
made after the other. What it takes along unasked, such as old versions, is measured after it.

/etc/paquet/room/NAME.json: {"all": bytes of the whole bundle, "backend": socket, "database": bool,
"users": {address: bytes}}. A user's room is counted where files and calendars are by user.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import posixpath
import re
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from os import PathLike

SETTINGS, BUNDLES = Path("/etc/paquet/room"), Path("/srv/bundles")
# Not Debian's wrapper, which reads configuration that is not for everybody.
PSQL = ["/usr/lib/postgresql/17/bin/psql", "--host", "/run/postgresql", "--no-psqlrc"]
PSQL += ["--no-align", "--tuples-only", "--dbname"]
# The bundle owns the database: without this, functions of its own would say how large it is.
OPTIONS = "options='-c search_path=pg_catalog -c local_preload_libraries='"
SIZE = "select pg_database_size(current_database())"
FIRST_SOCKET = 3  # sd_listen_fds(3)
BLOCK = 4096  # what an empty file costs, too
PIECE = 1 << 18
HEAD = 1 << 17
QUIET_SECONDS = 300
LINGER_SECONDS = 30
# Measuring takes a tenth of the time at most, or as long as somebody waits; a minute is old, and so
# is what a server behind that writes RATE bytes each second unseen could have filled the room in.
SHARE, PATIENCE, OLD, RATE = 10.0, 10.0, 60.0, 100 << 20
# With less room than this, a copy is measured before anything else is let in.
DOUBT = 1 << 30
# Small requests find some room in a full cloud: whoever is full must be able to log in and tidy.
SMALL, RESERVE = 1 << 16, 8 << 20
# What a server behind has not finished is in no user's folder, and counted as it passes.
PASSING = "upload"
USERS_FOLDERS = ("webdav/files", "dav/collection-root")
BOOK = "BOOK"
# What nothing tells the size of: previews, and copies that a POST asks for. PHP makes eight at once
# (pm.max_children), of 16 MiB each: they are let in while there is room for these.
UNSEEN = re.compile(
    "GET |HEAD |POST .*/(templates/create|attachment/filepath|references|theming/background)"
)
UNSEEN_BYTES = 8 * 16 << 20
# Pieces of an upload lie beside the file that they are put together to, and so do old versions.
COPIES = re.compile(r"COPY |MOVE .*/(remote|public)\.php/dav/(uploads|versions)/")
ASKING = b'<propfind xmlns="DAV:" xmlns:o="http://owncloud.org/ns"><prop>'
ASKING += b"<o:size/><getcontentlength/></prop></propfind>"
SOURCE_SIZE = re.compile(rb"[:<](?:size|getcontentlength)>(\d+)<")
# HTTP/1.0 is answered in one piece, and by whoever would answer the copy: its other lines go along.
NOT_ASKED_WITH = ("accept-encoding", "connection", "content-", "depth", "range", "transfer-")
ANSWER_SECONDS = 60
EMPTY = b"0\r\n\r\n"  # a body in chunks without any
MULTI_STATUS = re.compile(rb"HTTP/1\.\d 207 ")
BOOKED = b"HTTP/1.1 204 No Content\r\n\r\n"
REFUSED = (
    b"HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
)
FULL = REFUSED % (b"507 Insufficient Storage", 21, b"This folder is full.\n")
BODY = REFUSED % (b"413 Content Too Large", 24, b"A copy brings no bytes.\n")
AWAY = REFUSED % (b"503 Service Unavailable", 18, b"Try again, later.\n")


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

    def _used(self) -> int:
        return self._filled + self._ended + sum(one.carried for one in self._passing)

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
                found = [one for one in entries if folder != top or one.name != without]
        except (FileNotFoundError, NotADirectoryError):  # gone meanwhile
            continue
        total += BLOCK
        for entry in found:
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


class Bundle:
    """One bundle: its settings, read again when they change, and its rooms."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._path = SETTINGS / f"{name}.json"
        self._stamp: tuple[int, int] | None = None
        self._settings: dict[str, Any] = {}
        self._all = Room(self._measure_all)
        self._users: dict[str, Room] = {}
        self.copying = asyncio.Lock()

    def settings(self) -> dict[str, Any]:
        """Return the settings that stand now."""
        found = self._path.stat()
        if (found.st_mtime_ns, found.st_ino) != self._stamp:
            self._settings = json.loads(self._path.read_text("utf-8"))
            self._stamp = (found.st_mtime_ns, found.st_ino)
        return self._settings

    def _measure_all(self) -> int:
        files = size_of(BUNDLES / self._name, without=PASSING)
        return files + (database_size(self._name) if self._settings["database"] else 0)

    def _measure_user(self, user: str) -> int:
        return sum(size_of(BUNDLES / self._name / folder / user) for folder in USERS_FOLDERS)

    def rooms(self, user: str) -> list[tuple[Room, int, int]]:
        """Return the rooms of a request of `user`: each with its limit and its reserve."""
        settings = self.settings()
        rooms = [(self._all, settings["all"], RESERVE)]
        if user:
            one = self._users.setdefault(user, Room(lambda: self._measure_user(user)))
            rooms.append((one, settings["users"].get(user, 0), 0))
        return rooms


class Request:
    """One request on its way: counted in each of its rooms."""

    def __init__(self, head: bytes, bundle: Bundle, stack: contextlib.AsyncExitStack) -> None:
        first, *self._lines = head.decode("latin-1").split("\r\n")
        fields = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in self._lines)
        }
        self.method, self._target = first.split(" ")[:2]
        path = posixpath.normpath(unquote(self._target.partition("?")[0]))
        what = f"{self.method} {path}"
        self._growth = int(fields.get("x-paquet-growth") or 0)
        self._unseen = UNSEEN_BYTES if UNSEEN.match(what) else 0
        self.copies = bool(COPIES.match(what)) and not self._growth
        self.announced = int(fields.get("content-length") or 0)
        self.in_chunks = "transfer-encoding" in fields
        self._rooms = [
            (room, limit, reserve, stack.enter_context(room.passage()))
            for room, limit, reserve in bundle.rooms(fields.get("x-paquet-user", ""))
        ]

    def question(self) -> bytes:
        """Return the request that asks how large the source of a copy is."""
        lines = [x for x in self._lines if x and not x.lower().startswith(NOT_ASKED_WITH)]
        first = f"PROPFIND {self._target} HTTP/1.0"
        lines = [first, *lines, "Depth: 0", f"Content-Length: {len(ASKING)}", "", ""]
        return "\r\n".join(lines).encode("latin-1") + ASKING

    async def begin(self, said: bytes) -> None:
        """Refuse what is too large by what it says itself, or by what was `said` of its source."""
        growth = self._growth
        if said:
            growth = max(map(int, SOURCE_SIZE.findall(said)), default=UNSEEN_BYTES)
        await self._require(growth + self.announced + self._unseen)
        for *_, passage in self._rooms:
            passage.carried, passage.copies = growth, self.copies

    async def take(self, more: int) -> None:
        """Count `more` bytes, and refuse them when they do not fit."""
        for *_, passage in self._rooms:
            passage.carried += more
        await self._require(0)

    async def _require(self, more: int) -> None:
        for room, limit, reserve, passage in self._rooms:
            small = passage.carried + more <= SMALL
            if not await room.holds(more, limit + (reserve if small else 0)):
                raise Full


async def pour(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: Request | None = None
) -> None:
    """Let all bytes pass, counted when there is a `request`."""
    while piece := await reader.read(PIECE):
        if request:
            await request.take(len(piece))
        writer.write(piece)
        await writer.drain()


class Meter:
    """The program: it serves connections until none comes for a while."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._open = 0
        self._last = time.monotonic()

    async def run(self) -> None:
        """Serve the socket that systemd handed in."""
        listening = socket.socket(fileno=FIRST_SOCKET)
        async with await asyncio.start_unix_server(
            self._serve, sock=listening, limit=HEAD, cleanup_socket=False
        ):
            while self._open or time.monotonic() - self._last < QUIET_SECONDS:  # noqa: ASYNC110
                await asyncio.sleep(QUIET_SECONDS / 10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        answer = b""
        try:
            async with contextlib.AsyncExitStack() as stack:
                answer = await self._answer(reader, writer, stack)
            if answer:
                writer.write(answer)
                await asyncio.wait_for(drain(reader, writer), LINGER_SECONDS)
        except (OSError, asyncio.IncompleteReadError):
            pass  # nginx or the server behind went away: the other hears of it by the end below
        finally:
            self._open -= 1
            self._last = time.monotonic()
            writer.close()

    async def _answer(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        stack: contextlib.AsyncExitStack,
    ) -> bytes:
        """Let the request pass; return what we answer ourselves, empty when it was answered."""
        head = await reader.readuntil(b"\r\n\r\n")
        try:
            request = Request(head, self._bundle, stack)
            said = b""
            if request.copies:
                # PHP begins when it has the body, and by then the source could be another.
                if request.announced or (
                    request.in_chunks and await reader.readexactly(len(EMPTY)) != EMPTY
                ):
                    return BODY
                head += EMPTY if request.in_chunks else b""
                await stack.enter_async_context(self._bundle.copying)
                said = await self._ask(request.question())
                if not MULTI_STATUS.match(said):
                    return said  # not found, not allowed: so would the copy be
            await request.begin(said)
            if request.method == BOOK:
                writer.write(BOOKED)
                await reader.read()
            else:
                await self._pass(request, head, (reader, writer))
        except Full:
            return FULL
        except Unmeasured:
            return AWAY
        return b""

    async def _ask(self, question: bytes) -> bytes:
        """Return what the server behind answers."""
        reader, writer = await asyncio.open_unix_connection(self._bundle.settings()["backend"])
        try:
            writer.write(question)
            return await asyncio.wait_for(reader.readexactly(HEAD), ANSWER_SECONDS)
        except asyncio.IncompleteReadError as whole:
            return whole.partial or AWAY
        except TimeoutError:
            return AWAY
        finally:
            writer.close()

    async def _pass(
        self,
        request: Request,
        head: bytes,
        nginx: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        path = self._bundle.settings()["backend"]
        reader, writer = await asyncio.open_unix_connection(path, limit=PIECE)
        writer.write(head)
        both = [
            asyncio.create_task(pour(nginx[0], writer, request)),
            asyncio.create_task(pour(reader, nginx[1])),
        ]
        try:
            # Whichever side ends first ends the request.
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in both:
                task.cancel()
            writer.close()


async def drain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read what still comes until nginx hangs up: else it could not read our answer."""
    await writer.drain()
    while await reader.read(PIECE):
        pass


if __name__ == "__main__":
    asyncio.run(Meter(Bundle(sys.argv[1])).run())
