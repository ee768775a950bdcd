"""Stand between the light clouds and Dovecot when one asks whether a login is good.

Dovecot takes the word of who asks for the door and the address that a login came from, and
fail2ban believes what Dovecot writes. A cloud's processes are its bundle's: here they give a name
and a secret and nothing else, the door is always "dav", and no bundle holds more than a few lines.

A bundle writes one line, the response of PLAIN in base64, and reads Dovecot's verdict, one line.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
import sys
from collections import Counter

DOVECOT = "/run/dovecot/auth-paquet"
SYSTEMD_SOCKET = 3
WAITING_ROOM = 1024
LONGEST = 4096
ASKED = re.compile(rb"[A-Za-z0-9+/]+={0,2}\n")
# A cloud has as many threads (dav.ini). So many of all bundles are at Dovecot; the others wait.
LINES_OF_ONE, AT_DOVECOT = 16, 256
TYPING_SECONDS, DOVECOT_SECONDS = 5.0, 20.0
CREDENTIALS = struct.Struct("3i")
# Dovecot asks for the number of a process; this one no process has.
HELLO = b"VERSION\t1\t2\nCPID\t4194304\n"
# no-penalty: else one wrong secret at an install party, where all phones come from one address,
# slows down all of them; and secrets are too long to be guessed.
QUESTION = b"AUTH\t1\tPLAIN\tservice=dav\tsecured\tno-penalty\tresp="


def asker(hears: asyncio.StreamWriter) -> int:
    """Return the Unix user at the other end, as the kernel knows it."""
    line = hears.get_extra_info("socket")
    told = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    return int(CREDENTIALS.unpack(told)[1])


async def verdict(response: bytes) -> bytes:
    """Return Dovecot's line about one login, empty when it hung up."""
    says, hears = await asyncio.open_unix_connection(DOVECOT)
    try:
        hears.write(HELLO + QUESTION + response)
        await hears.drain()
        async for line in says:
            if line.startswith((b"OK\t", b"FAIL\t")):
                return line
        return b""
    finally:
        hears.close()


class Door:
    """What the bundles hold of it."""

    def __init__(self) -> None:
        self._lines = Counter[int]()
        self._at_dovecot = asyncio.Semaphore(AT_DOVECOT)

    async def serve(self, asks: asyncio.StreamReader, hears: asyncio.StreamWriter) -> None:
        """Serve one line of a bundle; one too many, or no line as it should be, is cut."""
        bundle = asker(hears)
        self._lines[bundle] += 1
        try:
            if self._lines[bundle] <= LINES_OF_ONE:
                # Not told, or a bundle could fill the log. ValueError: a line is too long.
                with contextlib.suppress(OSError, ValueError):
                    await self._answer(asks, hears)
        finally:
            hears.close()
            self._lines[bundle] -= 1
            if not self._lines[bundle]:
                del self._lines[bundle]

    async def _answer(self, asks: asyncio.StreamReader, hears: asyncio.StreamWriter) -> None:
        asked = await asyncio.wait_for(asks.readline(), TYPING_SECONDS)
        if not ASKED.fullmatch(asked):
            return
        async with self._at_dovecot:
            try:
                told = await asyncio.wait_for(verdict(asked), DOVECOT_SECONDS)
            except OSError as trouble:
                sys.stderr.write(f"Dovecot does not answer: {trouble!r}\n")
                return
        hears.write(told)
        await asyncio.wait_for(hears.drain(), TYPING_SECONDS)


async def main() -> None:
    """Serve the socket that systemd opened."""
    opened = socket.socket(fileno=SYSTEMD_SOCKET)
    opened.settimeout(0)
    # not start_unix_server, which would take the file of the socket for its own and remove it
    door = {"limit": LONGEST, "backlog": WAITING_ROOM}
    server = await asyncio.start_server(Door().serve, sock=opened, **door)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
