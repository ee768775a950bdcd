"""Speak to the Redis that the Nextclouds of a server share, and keep them apart in it.

Redis has no rights by database number, but rights by first argument: a bundle's user may say
SELECT with its own number only, and none of the commands that reach into another one. Database 0,
where every connection begins, is used by nobody.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

KEY_FILE = "/var/lib/paquet/nextcloud-cache.key"
SOCKET = "/run/paquet-cache/redis.sock"
ADMIN = "paquet"
SECONDS = 10
SELECTS = re.compile(r"\+select\|(\d+)")
RIGHTS = (
    "resetchannels ~* -@all +@read +@write +@connection +@transaction +@scripting +info"
    " +keys +scan +flushdb -flushall -swapdb -move -copy -select -function -script -client"
    " +client|setinfo"
)


class CacheFailed(Exception):
    """Redis refused; its message is what it said."""


def read_key(path: str = KEY_FILE) -> str:
    """Return the secret from which all passwords of the cache are derived."""
    return Path(path).read_text("ascii").strip()


def password_of(user: str, key: str) -> str:
    """Return the password of one user of the cache: the same at every run, on this server."""
    return hmac.new(key.encode(), user.encode(), "sha256").hexdigest()


def digest_of(password: str) -> str:
    """Return how the list of users holds a password."""
    return "#" + hashlib.sha256(password.encode()).hexdigest()


def rights(password: str, number: int) -> list[str]:
    """Return the words of ACL SETUSER for a bundle with its own database `number`."""
    return ["reset", "on", digest_of(password), *RIGHTS.split(), f"+select|{number}"]


def numbers(users: Iterable[str]) -> dict[str, int]:
    """Given the lines of ACL LIST, return the database number of each bundle."""
    return {
        line.split(" ", 2)[1]: int(found[1]) for line in users if (found := SELECTS.search(line))
    }


def free_number(taken: AbstractSet[int]) -> int:
    """Return the smallest number above 0 that is not taken."""
    return next(number for number in range(1, len(taken) + 2) if number not in taken)


class Cache:
    """A connection to Redis as its administrator (protocol RESP2)."""

    def __init__(self, key: str, path: str = SOCKET) -> None:
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.settimeout(SECONDS)
        self._connection.connect(path)
        self._lines = self._connection.makefile("rb")
        self.say("AUTH", ADMIN, password_of(ADMIN, key))

    def say(self, *words: str) -> str | list[str] | None:
        """Send one command and return its answer."""
        sent = [word.encode() for word in words]
        packed = b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in sent)
        self._connection.sendall(b"*%d\r\n%s" % (len(sent), packed))
        return self._answer()

    def _answer(self) -> str | list[str] | None:
        line = self._lines.readline().rstrip(b"\r\n").decode()
        kind, rest = line[:1], line[1:]
        if kind == "-" or not kind:
            raise CacheFailed(rest or "Redis hung up")
        if kind == "$":
            return None if rest == "-1" else self._lines.read(int(rest) + 2)[:-2].decode()
        if kind == "*":
            return [str(self._answer()) for _ in range(int(rest))]
        return rest

    def close(self) -> None:
        """Hang up."""
        self._lines.close()
        self._connection.close()
