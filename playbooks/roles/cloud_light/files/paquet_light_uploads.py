"""What an upload to the light cloud says of itself, beyond its bytes.

X-OC-Mtime: the seconds since 1970 that the file shall have, as rclone and others send them. The
file server knows nothing of it: when it has answered, nginx comes back with its answer (`date`).
Content-Range: a piece that goes on where the file ends (RFC 9110, 14.5), so that an upload that
broke off goes on. The file server would write anywhere, and copy the whole file for that: it is
told by If-Match which file was looked at, and looks once more before it writes.
"""

from __future__ import annotations

import contextlib
import http
import http.client
import os
import re
import socket
import string
import urllib.parse
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from http.client import HTTPMessage
    from pathlib import Path

BAD, CONFLICT, TOO_LARGE, AWAY = "400", "409", "413", "503"
# The file server copies a piece to the end of its file, and does nothing else meanwhile.
LARGEST_PIECE = 128 << 20
SECONDS = re.compile(r"(\d{1,10})(?:\.\d*)?", re.ASCII)
PIECE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(?:\d{1,15}|\*)", re.ASCII)
ANSWER_SECONDS = 30.0
# What the file server says of one file or folder; a user may have hung any number of words on it.
LARGEST_ANSWER = 1 << 20
PORTION = 1 << 16


class RequestRefused(Exception):
    """A file request that must not pass; `status` is what the client gets."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


class FileAnswer(NamedTuple):
    """What the file server answered."""

    status: int
    reason: str
    headers: HTTPMessage
    body: bytes


class FileServer(http.client.HTTPConnection):
    """The file server of this bundle, at its socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=ANSWER_SECONDS)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(ANSWER_SECONDS)
        self.sock.connect(self._path)

    def ask(
        self, method: str, target: str, body: bytes = b"", words: Mapping[str, str] | None = None
    ) -> FileAnswer:
        """Return its answer about `target`, as it was sent.

        Refuse when the server is away or busy, or tells more than anybody has to know.
        """
        # Some clients send the bytes of a name as they are, and http.client takes none of them.
        target = urllib.parse.quote(target.encode("latin-1"), safe=string.punctuation)
        try:
            with contextlib.closing(self):
                self.request(method, target, body or None, words or {})
                said = self.getresponse()
                body = said.read(LARGEST_ANSWER + 1)
        except (OSError, http.client.HTTPException):
            raise RequestRefused(AWAY) from None
        if len(body) > LARGEST_ANSWER:
            raise RequestRefused(AWAY)
        return FileAnswer(said.status, said.reason, said.headers, body)

    def look(self, target: str) -> tuple[int, str]:
        """Return the size and the ETag of a file; refuse a piece where none stands."""
        answer = self.ask("HEAD", target)
        if answer.status != http.HTTPStatus.OK or not answer.headers["ETag"]:
            raise RequestRefused(CONFLICT)
        return int(answer.headers["Content-Length"] or 0), answer.headers["ETag"]


def pass_over(environ: dict[str, Any]) -> None:
    """Read what a request carries, and keep nothing of it: many may be refused at once."""
    left = int(environ["CONTENT_LENGTH"] or 0)
    while left > 0 and (portion := environ["wsgi.input"].read(min(left, PORTION))):
        left -= len(portion)


def described(environ: dict[str, Any], server: FileServer) -> dict[str, str]:
    """Return what to tell nginx of an upload: its time, its place, and the file that it meets."""
    told = {}
    if time := SECONDS.fullmatch(environ.get("HTTP_X_OC_MTIME", "")):
        told["X-Paquet-Mtime"] = time[1]
    if "HTTP_CONTENT_RANGE" in environ:
        begins = _begin_of_piece(environ)
        size, etag = server.look(environ["REQUEST_URI"].partition("?")[0])
        if begins != size or environ.get("HTTP_IF_MATCH", etag) != etag:
            raise RequestRefused(CONFLICT)
        told |= {"X-Paquet-Range": environ["HTTP_CONTENT_RANGE"], "X-Paquet-Match": etag}
    return told


def refuse_shared(file: Path) -> None:
    """Refuse a piece for a file that has a copy: the file server would copy all of it first."""
    with contextlib.suppress(OSError):
        if file.stat(follow_symlinks=False).st_nlink > 1:
            raise RequestRefused(CONFLICT)


def _begin_of_piece(environ: dict[str, Any]) -> int:
    piece = PIECE.fullmatch(environ["HTTP_CONTENT_RANGE"])
    if not piece:
        raise RequestRefused(BAD)
    first, last = map(int, piece.groups())
    if last < first or environ.get("HTTP_CONTENT_LENGTH") != str(last - first + 1):
        raise RequestRefused(BAD)
    if last - first >= LARGEST_PIECE:
        raise RequestRefused(TOO_LARGE)
    return first


def date(environ: dict[str, Any], file: Path) -> tuple[str, dict[str, str]]:
    """Give an uploaded file its time; return the file server's answer, and what came to it."""
    status = http.HTTPStatus(int(environ["PAQUET_STATUS"][:3]))
    headers = {}
    if status < http.HTTPStatus.MULTIPLE_CHOICES:
        seconds = int(environ["PAQUET_MTIME"])
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):  # removed meanwhile
            os.utime(file, (seconds, seconds), follow_symlinks=False)
            headers = {"X-OC-Mtime": "accepted"}
    return f"{status.value} {status.phrase}", headers
