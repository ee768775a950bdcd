"""The light cloud of one bundle: Radicale, and the answer to "may this request pass?".

nginx asks before it reads what a request carries (auth_request): at WHO for calendars and contacts,
at MAY for files. The answer is 204, or 401, or 403 whose X-Paquet-Refused holds the status that the
client gets. At DATED it brings the answer to an upload that came with the time of its file.
Logins are judged by Dovecot, for Radicale too, and cloud-login.py stands between. Users of another
bundle of this server are refused before it is asked. Room is kept by the meter: uploads of
files stream through it, and before Radicale writes it is asked.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import os
import re
import socket
import sys
import threading
import urllib.parse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paquet_light_uploads import (
    AWAY,
    FileServer,
    RequestRefused,
    date,
    described,
    pass_over,
    refuse_shared,
)
from radicale import config
from radicale.app import Application

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

MAY, WHO, DATED = "/.paquet/may", "/.paquet/who", "/.paquet/dated"
FILES = "files"
READING = {"GET", "HEAD", "OPTIONS", "PROPFIND"}
WRITING = {"PUT", "DELETE", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "PROPPATCH"}
MOVING_AWAY = {"DELETE", "MOVE", "PUT", "COPY"}
# Those by which Radicale keeps more than before.
DAV_WRITING = {"PUT", "POST", "MKCALENDAR", "MKCOL", "PROPPATCH", "MOVE"}
DOVECOT_SECONDS = 30.0
METER_SECONDS = 60.0
BLOCK = 4096  # what an empty file costs, too
# Radicale keeps each item, the same again as it understood it, and what it needs to tell changes.
DAV_COPIES, DAV_BLOCKS = 2, 4
# A user's devices wait for each other, each in a thread of uWSGI (dav.ini has more of them).
AT_ONCE = 16
REVOKED = b"reason=This device was revoked"
FORBIDDEN = "403 Forbidden"
NO_SPACE = "507 Insufficient Storage"
BUSY = "503 Service Unavailable"
# RFC 4331. The file server is not asked for them, else it says that there are none. However often
# one tag repeats the names, looking for them ends soon.
ROOM_NAMES = re.compile(rb"<[^<>]{0,99}\bquota-(?:available|used)-bytes\b[^<>]{0,99}>")
NOTHING_ELSE, SOMETHING = re.compile(rb"(?<=prop>)\s*(?=</)"), b'<resourcetype xmlns="DAV:"/>'
ROOM = b'<propstat xmlns="DAV:"><prop><quota-available-bytes>%d</quota-available-bytes>'
ROOM += b"<quota-used-bytes>%d</quota-used-bytes></prop><status>HTTP/1.1 200 OK</status></propstat>"
END_OF_ANSWER = re.compile(rb"</[^<>]*\bresponse>")
MULTI_STATUS = 207
KEPT = {"Content-Type", "ETag", "Last-Modified", "Location"}
METHOD_UNKNOWN, BAD_PATH, NOT_YOURS = "405", "400", "403"
# Headers by which a client could pretend to be the proxy in front of Radicale.
PROXY_ONLY = ("HTTP_X_SCRIPT_NAME", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_FOR")


class Revoked(Exception):
    """The secret of a device that was revoked: it is known, and no guess."""


class Users:
    """The users of this bundle and their quotas, read again when the file changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._quotas: dict[str, int] = {}

    def quota(self, user: str) -> int | None:
        """Return the bytes that `user` may fill, None for a stranger."""
        status = self._path.stat()
        if (status.st_mtime_ns, status.st_ino) != self._stamp:
            self._quotas = json.loads(self._path.read_text("utf-8"))["quotas"]
            self._stamp = (status.st_mtime_ns, status.st_ino)
        return self._quotas.get(user)


class Dovecot:
    """Dovecot's judgement of logins, as cloud-login.py tells it."""

    def __init__(self, path: str) -> None:
        self._path = path

    def accepts(self, login: tuple[str, str]) -> bool:
        """Whether (user, secret) is good."""
        said = "\0" + "\0".join(login)
        try:
            verdict, *reasons = self._ask(base64.b64encode(said.encode()))
        except OSError:
            raise RequestRefused(AWAY) from None
        if REVOKED in reasons:
            raise Revoked
        # The database of mail is away: no reason to make a phone ask for another password.
        if b"code=temp_fail" in reasons or b"temp" in reasons:
            raise RequestRefused(AWAY)
        return verdict == b"OK"

    def _ask(self, response: bytes) -> list[bytes]:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(DOVECOT_SECONDS)
            connection.connect(self._path)
            connection.sendall(response + b"\n")
            with connection.makefile("rb") as lines:
                line = lines.readline()
        if not line.endswith(b"\n"):
            raise ConnectionError("nobody knows")
        return line.rstrip(b"\n").split(b"\t")


class MeterClient:
    """The room of the bundle, kept by the meter."""

    def __init__(self, path: str) -> None:
        self._path = path

    @contextlib.contextmanager
    def booked(self, user: str, growth: int) -> Iterator[bool]:
        """Yield whether `user` has room for `growth` more bytes, and keep it meanwhile."""
        head = f"BOOK / HTTP/1.1\r\nX-Paquet-User: {user}\r\nX-Paquet-Growth: {growth}\r\n\r\n"
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(METER_SECONDS)
            connection.connect(self._path)
            connection.sendall(head.encode())
            yield connection.recv(BLOCK).startswith(b"HTTP/1.1 204 ")

    def room(self, user: str) -> tuple[int, int] | None:
        """Return the bytes that `user` has left and that are taken, None when nobody knows now."""
        question = f"ROOM / HTTP/1.1\r\nX-Paquet-User: {user}\r\n\r\n"
        said: list[bytes] = []
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(METER_SECONDS)
            connection.connect(self._path)
            connection.sendall(question.encode())
            said = connection.recv(BLOCK).split(b"\r\n")
        fields = dict(line.split(b": ", 1) for line in said if b": " in line)
        free, taken = fields.get(b"X-Paquet-Free"), fields.get(b"X-Paquet-Taken")
        return (int(free), int(taken)) if free and taken else None


class Crowd:
    """How many requests each user has under way: for calendars and contacts, room, and pieces."""

    def __init__(self) -> None:
        self._alone = threading.Lock()
        self._under_way: Counter[str] = Counter()

    @contextlib.contextmanager
    def entered(self, user: str) -> Iterator[bool]:
        """Yield whether `user` may have one more, and count it meanwhile."""
        with self._alone:
            self._under_way[user] += 1
            enters = self._under_way[user] <= AT_ONCE
        try:
            yield enters
        finally:
            with self._alone:
                self._under_way[user] -= 1


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
                here += BLOCK + entry.stat(follow_symlinks=False).st_size
    return here + sum(size_of(Path(folder)) + BLOCK for folder in below)


def steps(path: str) -> list[str]:
    """Given a path as sent, return its decoded steps; refuse what two readers could read twice.

    The file server decodes the same bytes again: dots, doubled or hidden slashes must not be
    able to lead it elsewhere than to where we looked.
    """
    sent = path.encode("latin-1").removeprefix(b"/").removesuffix(b"/").split(b"/")
    decoded = [os.fsdecode(urllib.parse.unquote_to_bytes(step)) for step in sent]
    if not path.startswith("/") or any(
        step in ("", ".", "..") or "/" in step or "\\" in step or min(step) < " "
        for step in decoded
    ):
        raise RequestRefused(BAD_PATH)
    return decoded


def own_steps(path: str, user: str) -> list[str]:
    """Return the steps below the user's own folder; refuse every other place."""
    first, *rest = steps(path)
    if first != FILES or not rest or rest[0] != user:
        raise RequestRefused(NOT_YOURS)
    return rest[1:]


def decide(environ: dict[str, Any], user: str, root: Path) -> dict[str, str]:
    """Return what to tell nginx of a file request that may pass, or refuse it.

    X-Paquet-Destination is the checked one of a COPY or MOVE. X-Paquet-Growth is what comes to the
    bytes that the request itself carries. X-Paquet-Match is its If-Match.
    """
    method = environ["REQUEST_METHOD"]
    if method not in READING | WRITING:
        raise RequestRefused(METHOD_UNKNOWN)
    place = own_steps(environ["REQUEST_URI"].partition("?")[0], user)
    if not place and method in MOVING_AWAY:
        raise RequestRefused(NOT_YOURS)
    destination = _destination(environ, user) if method in {"COPY", "MOVE"} else ""
    copied = size_of(root.joinpath(user, *place)) if method == "COPY" else 0
    return {
        "X-Paquet-Destination": destination,
        "X-Paquet-Growth": str(BLOCK + copied),
        "X-Paquet-Match": environ.get("HTTP_IF_MATCH", ""),
    }


def _destination(environ: dict[str, Any], user: str) -> str:
    parts = urllib.parse.urlsplit(environ.get("HTTP_DESTINATION", ""))
    if parts.netloc not in ("", environ["HTTP_HOST"]):
        raise RequestRefused("502")
    if not own_steps(parts.path, user):
        raise RequestRefused(NOT_YOURS)
    return parts.path


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

    def __init__(self, files: Path, users: Users, asked: tuple[Dovecot, MeterClient, str]) -> None:
        self._files = files
        self._users = users
        self._dovecot, self._meter, self._files_server = asked
        self._crowd = Crowd()
        self._radicale = Application(config.load([(os.environ["RADICALE_CONFIG"], False)]))

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one request: a question of nginx, or one whose user nginx has from us."""
        if environ.get("PAQUET_INTERNAL") == "1":
            return self._judge(environ, start_response)
        for name in PROXY_ONLY:
            environ.pop(name, None)
        environ["REMOTE_USER"] = user = environ["PAQUET_USER"]
        with self._crowd.entered(user) as enters:
            if not enters:
                return refuse(environ, start_response, BUSY)
            if environ.get("PAQUET_ASKS_ROOM") == "1":
                return self._tell_room(environ, start_response)
            if environ["REQUEST_METHOD"] not in DAV_WRITING:
                return self._radicale(environ, start_response)
            growth = DAV_COPIES * int(environ["CONTENT_LENGTH"] or 0) + DAV_BLOCKS * BLOCK
            with self._meter.booked(user, growth) as fits:
                if fits:
                    return self._radicale(environ, start_response)
        return refuse(environ, start_response, NO_SPACE)

    def _tell_room(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Let the file server answer a PROPFIND, and add how much room is left when it is asked."""
        asked = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0))
        asks, others = ROOM_NAMES.search(asked), asked
        if asks:
            others = NOTHING_ELSE.sub(SOMETHING, ROOM_NAMES.sub(b"", asked), 1)
        words = {
            "Host": environ["HTTP_HOST"],
            "Depth": "0",
            "Content-Type": environ["CONTENT_TYPE"],
        }
        server = FileServer(self._files_server)
        try:
            said = server.ask("PROPFIND", environ["REQUEST_URI"], others, words)
        except RequestRefused:
            return answer(start_response, BUSY, **{"Retry-After": "10"})
        body = said.body
        room = self._meter.room(environ["PAQUET_USER"]) if asks else None
        ends = list(END_OF_ANSWER.finditer(body))
        if room and ends and said.status == MULTI_STATUS:
            end = ends[-1].start()
            body = body[:end] + ROOM % room + body[end:]
        kept = [(name, value) for name, value in said.headers.items() if name in KEPT]
        start_response(f"{said.status} {said.reason}", [*kept, ("Content-Length", str(len(body)))])
        return [body]

    def _judge(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        if environ["PATH_INFO"] == DATED:
            return self._date(environ, start_response)
        user, secret = credentials(environ)
        try:
            # Radicale would answer a stranger with 403: no client would ask its user for a login.
            if not user or not self._knows(user, secret, environ["REMOTE_ADDR"]):
                return ask_again(start_response)
            told = decide(environ, user, self._files) if environ["PATH_INFO"] == MAY else {}
            if told and environ["REQUEST_METHOD"] == "PUT":
                told |= self._described(environ, user)
        except Revoked:
            return ask_again(start_response, "revoked device")
        except RequestRefused as refused:
            return answer(start_response, FORBIDDEN, **{"X-Paquet-Refused": refused.status})
        return answer(start_response, "204 No Content", **{"X-Paquet-User": user}, **told)

    def _described(self, environ: dict[str, Any], user: str) -> dict[str, str]:
        server = FileServer(self._files_server)
        if "HTTP_CONTENT_RANGE" not in environ:
            return described(environ, server)
        # For a piece the file server is asked, and may be long in answering.
        with self._crowd.entered(user) as enters:
            if not enters:
                raise RequestRefused(AWAY)
            place = own_steps(environ["REQUEST_URI"].partition("?")[0], user)
            refuse_shared(self._files.joinpath(user, *place))
            return described(environ, server)

    def _date(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        user = environ["PAQUET_USER"]
        place = own_steps(environ["REQUEST_URI"].partition("?")[0], user)
        status, headers = date(environ, self._files.joinpath(user, *place))
        return answer(start_response, status, **headers)

    def _knows(self, user: str, secret: str, address: str) -> bool:
        ours = self._users.quota(user) is not None and "\0" not in user + secret
        if ours and self._dovecot.accepts((user, secret)):
            return True
        sys.stderr.write(f"login refused: rip={address} user={user!r}\n")
        return False


def ask_again(start_response: Callable[..., Any], realm: str = "Paquet") -> list[bytes]:
    """Answer that a login is needed; by the realm the web server tells a known device."""
    wanted = {"WWW-Authenticate": f'Basic realm="{realm}"'}
    return answer(start_response, "401 Unauthorized", **wanted)


def refuse(environ: dict[str, Any], start_response: Callable[..., Any], why: str) -> list[bytes]:
    """Refuse a request, whose body must be read: else nginx may find us gone before our answer."""
    pass_over(environ)
    return answer(start_response, why, **({"Retry-After": "10"} if why == BUSY else {}))


def answer(start_response: Callable[..., Any], status: str, **headers: str) -> list[bytes]:
    """Answer without a body."""
    start_response(status, [*headers.items(), ("Content-Length", "0")])
    return [b""]


def from_environment(names: Mapping[str, str]) -> Light:
    """Return the application of the bundle that systemd started us for."""
    users = Users(Path(names["PAQUET_LIGHT_USERS"]))
    meter, server = MeterClient(names["PAQUET_METER_SOCKET"]), names["PAQUET_FILES_SOCKET"]
    asked = Dovecot(names["PAQUET_LOGIN_SOCKET"]), meter, server
    return Light(Path(names["HOME"]) / "webdav" / FILES, users, asked)


if "PAQUET_LIGHT_USERS" in os.environ:  # absent where the tests read this file
    application = from_environment(os.environ)
