"""The light cloud of one bundle: Radicale, and the answer to "may this file request pass?".

nginx asks at MAY before each request for a file (auth_request). The answer is 204, or 401, or 403
whose X-Paquet-Refused holds the status that the client gets. Logins are judged by Dovecot, for
Radicale too: its own Dovecot client (3.5.3) waits for a greeting that Dovecot 2.4 no longer sends
first. Users of another bundle of this server are refused before Dovecot is asked.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import socket
import sys
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radicale import config
from radicale.app import Application

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

MAY = "/.paquet/may"
FILES = "files"
READING = {"GET", "HEAD", "OPTIONS", "PROPFIND"}
WRITING = {"PUT", "DELETE", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "PROPPATCH"}
MOVING_AWAY = {"DELETE", "MOVE", "PUT", "COPY"}
MEASURE_SECONDS = 60.0
DOVECOT_SECONDS = 30.0
FORBIDDEN = "403 Forbidden"
METHOD_UNKNOWN, NO_SPACE, BAD_PATH, NOT_YOURS = "405", "507", "400", "403"
# Headers by which a client could pretend to be the proxy in front of Radicale.
PROXY_ONLY = ("HTTP_X_SCRIPT_NAME", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_FOR")


class Refused(Exception):
    """A file request that must not pass; `status` is what the client gets."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


class Users:
    """The users of this bundle and their quotas, read again when the file changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._quotas: dict[str, int] = {}

    def quota(self, user: str) -> int | None:
        """Return the bytes that `user` may fill, None for a stranger."""
        found = self._path.stat()
        if (found.st_mtime_ns, found.st_ino) != self._stamp:
            self._quotas = json.loads(self._path.read_text("utf-8"))["quotas"]
            self._stamp = (found.st_mtime_ns, found.st_ino)
        return self._quotas.get(user)


class Dovecot:
    """Dovecot's judgement of logins, over its auth client protocol 1.x."""

    def __init__(self, path: str) -> None:
        self._path = path

    def accepts(self, login: tuple[str, str], address: str) -> bool:
        """Whether (user, secret) is good; `address` is where the client sits, for the log.

        no-penalty: else one wrong secret at an install party, where all phones come from one
        address, slows down all of them; and secrets are too long to be guessed.
        """
        said = "\0" + "\0".join(login)
        words = ["AUTH", "1", "PLAIN", "service=dav", "secured", "no-penalty", f"rip={address}"]
        words.append("resp=" + base64.b64encode(said.encode()).decode())
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(DOVECOT_SECONDS)
            connection.connect(self._path)
            connection.sendall(f"VERSION\t1\t2\nCPID\t{os.getpid()}\n".encode())
            with connection.makefile("rb") as lines:
                self._wait(lines, {b"DONE"})
                connection.sendall("\t".join(words).encode() + b"\n")
                return self._wait(lines, {b"OK", b"FAIL"}) == b"OK"

    @staticmethod
    def _wait(lines: Iterable[bytes], words: set[bytes]) -> bytes:
        for line in lines:
            first = line.rstrip(b"\n").split(b"\t")[0]
            if first in words:
                return first
        raise ConnectionError("Dovecot hung up")


@dataclass
class Room:
    """How full one user's folder is: measured now and then, uploads added as they start."""

    folder: Path
    filled: int = 0
    measured: float = field(default=float("-inf"))

    def take(self, growth: int, quota: int) -> None:
        """Book `growth` bytes; refuse when the folder would be fuller than `quota`."""
        if time.monotonic() - self.measured > MEASURE_SECONDS:
            self._measure()
        if self.filled + growth > quota:
            self._measure()
        if self.filled + growth > quota:
            raise Refused(NO_SPACE)
        self.filled += max(growth, 0)

    def _measure(self) -> None:
        self.filled = size_of(self.folder)
        self.measured = time.monotonic()


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files below a folder; 0 where nothing stands."""
    if not path.is_dir():
        return path.stat().st_size if path.is_file() else 0
    here, below = 0, []
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                below.append(entry.path)
            else:
                here += entry.stat(follow_symlinks=False).st_size
    return here + sum(size_of(Path(folder)) for folder in below)


def steps(path: str) -> list[str]:
    """Given a path as sent, return its decoded steps; refuse what two readers could read twice.

    The file server decodes the same bytes again: dots, doubled or hidden slashes must not be
    able to lead it elsewhere than to where we looked.
    """
    sent = path.removeprefix("/").removesuffix("/").split("/")
    decoded = [urllib.parse.unquote(step, errors="surrogateescape") for step in sent]
    if not path.startswith("/") or any(
        step in ("", ".", "..") or "/" in step or "\\" in step or min(step) < " "
        for step in decoded
    ):
        raise Refused(BAD_PATH)
    return decoded


def own_steps(path: str, user: str) -> list[str]:
    """Return the steps below the user's own folder; refuse every other place."""
    first, *rest = steps(path)
    if first != FILES or not rest or rest[0] != user:
        raise Refused(NOT_YOURS)
    return rest[1:]


class Doorkeeper:
    """Decides about file requests of one bundle."""

    def __init__(self, root: Path, users: Users) -> None:
        self._root = root
        self._users = users
        self._rooms: dict[str, Room] = {}
        self._lock = threading.Lock()

    def decide(self, environ: dict[str, Any], user: str) -> str:
        """Return the checked destination of a COPY or MOVE ("" for the rest), or refuse."""
        method = environ["REQUEST_METHOD"]
        if method not in READING | WRITING:
            raise Refused(METHOD_UNKNOWN)
        place = own_steps(environ["REQUEST_URI"].partition("?")[0], user)
        if not place and method in MOVING_AWAY:
            raise Refused(NOT_YOURS)
        destination = self._destination(environ, user) if method in {"COPY", "MOVE"} else ""
        if method in {"PUT", "COPY"}:
            self._book(environ, user, place)
        return destination

    @staticmethod
    def _destination(environ: dict[str, Any], user: str) -> str:
        parts = urllib.parse.urlsplit(environ.get("HTTP_DESTINATION", ""))
        if parts.netloc not in ("", environ["HTTP_HOST"]):
            raise Refused("502")
        if not own_steps(parts.path, user):
            raise Refused(NOT_YOURS)
        return parts.path

    def _book(self, environ: dict[str, Any], user: str, place: list[str]) -> None:
        folder = self._root / user
        target = folder.joinpath(*place)
        standing = size_of(target)
        copied = environ["REQUEST_METHOD"] == "COPY"
        growth = standing if copied else announced(environ) - standing
        with self._lock:
            room = self._rooms.setdefault(user, Room(folder))
            room.take(growth, self._users.quota(user) or 0)


def announced(environ: dict[str, Any]) -> int:
    """Return the bytes that an upload says it has; one that does not say counts as one byte.

    Such uploads (some phones stream) pass while there is room left, and count once they stand.
    """
    length = environ["PAQUET_LENGTH"] or environ.get("HTTP_X_EXPECTED_ENTITY_LENGTH") or "1"
    return int(length) if length.isascii() and length.isdigit() else 1


def credentials(environ: dict[str, Any]) -> tuple[str, str]:
    """Return (user in lower case, secret) of HTTP basic authentication, or two empty texts."""
    kind, _, value = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if kind.lower() != "basic":
        return "", ""
    try:
        text = base64.b64decode(value.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    user, _, secret = text.partition(":")
    return user.lower(), secret


class Light:
    """The WSGI application."""

    def __init__(self, home: Path, users: Users, dovecot: Dovecot) -> None:
        self._users = users
        self._dovecot = dovecot
        self._radicale = Application(config.load([(os.environ["RADICALE_CONFIG"], False)]))
        self._doorkeeper = Doorkeeper(home / "webdav" / FILES, users)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one request."""
        user, secret = credentials(environ)
        # Radicale would answer a stranger with 403, and no client would ask its user for a login.
        if not user or not self._knows(user, secret, environ["REMOTE_ADDR"]):
            return ask_again(start_response)
        if environ["PATH_INFO"] == MAY and environ.get("PAQUET_INTERNAL") == "1":
            return self._may(environ, start_response, user)
        for name in PROXY_ONLY:
            environ.pop(name, None)
        return self._radicale({**environ, "REMOTE_USER": user}, start_response)

    def _knows(self, user: str, secret: str, address: str) -> bool:
        ours = self._users.quota(user) is not None and "\0" not in user + secret
        if ours and self._dovecot.accepts((user, secret), address):
            return True
        sys.stderr.write(f"login refused: rip={address} user={user!r}\n")
        return False

    def _may(
        self, environ: dict[str, Any], start_response: Callable[..., Any], user: str
    ) -> list[bytes]:
        try:
            destination = self._doorkeeper.decide(environ, user)
        except Refused as refused:
            headers = [("X-Paquet-Refused", refused.status), ("Content-Length", "0")]
            start_response(FORBIDDEN, headers)
            return [b""]
        start_response("204 No Content", [("X-Paquet-Destination", destination)])
        return [b""]


def ask_again(start_response: Callable[..., Any]) -> list[bytes]:
    """Answer that a login is needed."""
    headers = [("WWW-Authenticate", 'Basic realm="Paquet"'), ("Content-Length", "0")]
    start_response("401 Unauthorized", headers)
    return [b""]


def from_environment(names: Mapping[str, str]) -> Light:
    """Return the application of the bundle that systemd started us for."""
    users = Users(Path(names["PAQUET_LIGHT_USERS"]))
    return Light(Path(names["HOME"]), users, Dovecot(names["PAQUET_AUTH_SOCKET"]))


if "PAQUET_LIGHT_USERS" in os.environ:  # absent where the tests read this file
    application = from_environment(os.environ)
