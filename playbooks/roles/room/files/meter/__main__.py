#!/usr/bin/python3
"""Keep what one bundle writes within its room, while it streams: `paquet-meter NAME`.

nginx sends each request that may write through here, as HTTP/1.1, one request on each connection,
to what serves the bundle. Bytes are counted as they pass, of all requests together; when the room
is used up the answer is 507 and the server behind sees an upload that broke off. A program of the
bundle that writes by itself says `BOOK` instead, with X-Paquet-User and X-Paquet-Growth, and holds
the connection while it writes. Who says `ROOM` is told X-Paquet-Free and X-Paquet-Taken, in bytes;
at ask/room.sock, which PHP of the bundle sees, nothing else is answered: who could say there how
much it brings would lead it past the room, into what the server behind keeps on its way.

A copy brings no bytes: what serves the bundle is asked first how large its source is, and one is
made after the other. What it takes along unasked, such as old versions, is measured after it.

/etc/paquet/room/NAME.json: {"all": bytes of the whole bundle, "people": bytes of what its people
keep, mail too, "backend": socket, "database": bool, "users": {address: bytes, at most "people"}}.
What one user takes is counted where files and calendars are by user.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import posixpath
import re
import socket
import sys
import time
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote

from rooms import Full, MeteredBundle, Unmeasured

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rooms import Limited, Passage

    Answers = Callable[
        [asyncio.StreamReader, asyncio.StreamWriter, contextlib.AsyncExitStack], Awaitable[bytes]
    ]

FIRST_SOCKET = 3  # sd_listen_fds(3)
PIECE = 1 << 18
HEAD = 1 << 17
QUIET_SECONDS = 300
LINGER_SECONDS = 30
SMALL = 1 << 16
BOOK, ROOM = "BOOK", "ROOM"
ASKING_ONLY = "/ask/room.sock"
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
TOLD = b"HTTP/1.1 204 No Content\r\nX-Paquet-Free: %d\r\nX-Paquet-Taken: %d\r\n\r\n"
REFUSED = (
    b"HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
)
FULL = REFUSED % (b"507 Insufficient Storage", 21, b"This folder is full.\n")
BODY = REFUSED % (b"413 Content Too Large", 24, b"A copy brings no bytes.\n")
DENIED = REFUSED % (b"405 Method Not Allowed", 14, b"Ask for ROOM.\n")
AWAY = REFUSED % (b"503 Service Unavailable", 18, b"Try again, later.\n")


class Request:
    """One request on its way: counted in each of its rooms."""

    def __init__(
        self, head: bytes, bundle: MeteredBundle, stack: contextlib.AsyncExitStack
    ) -> None:
        first, *self._lines = head.decode("latin-1").split("\r\n")
        fields = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in self._lines)
        }
        self.method, self._target = first.split(" ")[:2]
        path = posixpath.normpath(unquote(self._target.partition("?")[0]))
        what = f"{self.method} {path}"
        self._growth = max(0, int(fields.get("x-paquet-growth") or 0))
        self._unseen = UNSEEN_BYTES if UNSEEN.match(what) else 0
        self.copies = bool(COPIES.match(what)) and not self._growth
        self.announced = int(fields.get("content-length") or 0)
        self.in_chunks = "transfer-encoding" in fields
        self._rooms: list[tuple[Limited, Passage]] = [
            (limited, stack.enter_context(limited.room.passage()))
            for limited in bundle.rooms(fields.get("x-paquet-user", ""))
        ]

    async def room(self) -> bytes:
        """Return what is left, and what is taken of the narrowest room."""
        taken = await asyncio.gather(
            *(limited.room.taken(limited.limit) for limited, _ in self._rooms)
        )
        free = min(
            limited.limit - much for (limited, _), much in zip(self._rooms, taken, strict=True)
        )
        return TOLD % (max(0, free), taken[-1])

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
        await self._require(growth + self.announced, self._unseen)
        for _, passage in self._rooms:
            passage.carried, passage.copies = growth, self.copies

    async def take(self, more: int) -> None:
        """Count `more` bytes, and refuse them when they do not fit."""
        for _, passage in self._rooms:
            passage.carried += more
        await self._require(0)

    async def _require(self, more: int, unseen: int = 0) -> None:
        for limited, passage in self._rooms:
            come = more + (unseen if limited.unseen else 0)
            small = passage.carried + come <= SMALL
            if not await limited.room.holds(
                come, limited.limit + (limited.reserve if small else 0)
            ):
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

    def __init__(self, bundle: MeteredBundle) -> None:
        self._bundle = bundle
        self._open = 0
        self._last = time.monotonic()

    async def run(self) -> None:
        """Serve the sockets that systemd handed in."""
        async with contextlib.AsyncExitStack() as stack:
            for number in range(int(os.environ["LISTEN_FDS"])):
                listening = socket.socket(fileno=FIRST_SOCKET + number)
                asks = listening.getsockname().endswith(ASKING_ONLY)
                serve = partial(self._serve, self._tell if asks else self._answer)
                await stack.enter_async_context(
                    await asyncio.start_unix_server(
                        serve, sock=listening, limit=HEAD, cleanup_socket=False
                    )
                )
            while self._open or time.monotonic() - self._last < QUIET_SECONDS:  # noqa: ASYNC110
                await asyncio.sleep(QUIET_SECONDS / 10)

    async def _serve(
        self, answers: Answers, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._open += 1
        answer = b""
        try:
            async with contextlib.AsyncExitStack() as stack:
                answer = await answers(reader, writer, stack)
            if answer:
                writer.write(answer)
                await asyncio.wait_for(drain(reader, writer), LINGER_SECONDS)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # nginx or the server behind went away: the other hears of it by the end below
        finally:
            self._open -= 1
            self._last = time.monotonic()
            writer.close()

    async def _tell(
        self,
        reader: asyncio.StreamReader,
        _writer: asyncio.StreamWriter,
        stack: contextlib.AsyncExitStack,
    ) -> bytes:
        """Return what is left, and refuse to do more."""
        if not (await reader.readuntil(b"\r\n\r\n")).startswith(f"{ROOM} ".encode()):
            return DENIED
        try:
            return await Request(f"{ROOM} / HTTP/1.1".encode(), self._bundle, stack).room()
        except Unmeasured:
            return AWAY

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
            if request.method == ROOM:
                return await request.room()
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
    asyncio.run(Meter(MeteredBundle(sys.argv[1])).run())
