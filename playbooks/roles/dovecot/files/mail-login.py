"""Stand between Postfix and Dovecot when Postfix asks whether a login is good.

Postfix takes every FAIL for a wrong secret and answers 535, even when Dovecot says that it cannot
know because PostgreSQL is away. A phone would ask its person for another password. Here such an
answer is no answer: the line is cut, and Postfix says 454, try again later.
"""

from __future__ import annotations

import asyncio
import socket
import sys

DOVECOT = "/run/dovecot/auth-paquet"
SYSTEMD_SOCKET = 3
CHUNK = 65536
CANNOT_KNOW = b"code=temp_fail"


def is_no_answer(line: bytes) -> bool:
    """Whether Dovecot says with this line that it cannot know."""
    command, *fields = line.rstrip(b"\n").split(b"\t")
    return command == b"FAIL" and CANNOT_KNOW in fields


async def ask(postfix: asyncio.StreamReader, dovecot: asyncio.StreamWriter) -> None:
    """Hand on what Postfix asks, as it comes."""
    while asked := await postfix.read(CHUNK):
        dovecot.write(asked)
        await dovecot.drain()


async def answer(dovecot: asyncio.StreamReader, postfix: asyncio.StreamWriter) -> None:
    """Hand on what Dovecot answers, until it cannot know."""
    while (line := await dovecot.readline()) and not is_no_answer(line):
        postfix.write(line)
        await postfix.drain()


async def serve(postfix_asks: asyncio.StreamReader, postfix_hears: asyncio.StreamWriter) -> None:
    """Serve one process of Postfix until either side hangs up."""
    try:
        dovecot_says, dovecot_hears = await asyncio.open_unix_connection(DOVECOT)
        ways = [ask(postfix_asks, dovecot_hears), answer(dovecot_says, postfix_hears)]
        tasks = [asyncio.create_task(way) for way in ways]
        _, open_ways = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for way in open_ways:
            way.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        dovecot_hears.close()
    except OSError as trouble:
        sys.stderr.write(f"Dovecot does not answer: {trouble}\n")
    finally:
        postfix_hears.close()


async def main() -> None:
    """Serve the socket that systemd opened."""
    opened = socket.socket(fileno=SYSTEMD_SOCKET)
    opened.settimeout(0)
    # not start_unix_server, which would take the file of the socket for its own and remove it
    server = await asyncio.start_server(serve, sock=opened)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
