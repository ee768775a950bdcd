"""Count what Radicale does for a request among few items and among many, on a light server.

It runs there as its standard input, in an empty HOME, with the server's own configuration and
storage. Standard output: JSON {request: [calls among few, calls among many]}; a call is one of
Python's functions or one into the system; of a list those that list a folder are counted, and
of the first event of a new process those that open a file.
"""

from __future__ import annotations

import io
import json
import os
import sys
from typing import Any

sys.path.insert(0, "/usr/local/lib/paquet")

from radicale import config  # type: ignore[import-not-found]
from radicale.app import Application  # type: ignore[import-not-found]

FEW, MANY = 20, 400
USER = "jeanne@exemple.test"
CALENDAR = f"/{USER}/agenda/"
EVENT = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:{0}\r\n"
EVENT += "DTSTAMP:20260101T000000Z\r\nDTSTART:20260101T000000Z\r\nSUMMARY:x\r\nEND:VEVENT\r\n"
EVENT += "END:VCALENDAR\r\n"


class Cloud:
    """Radicale, asked by one user."""

    def __init__(self) -> None:
        self._start()
        self._calls = self._listed = self._opened = 0

    def _start(self) -> None:
        self._radicale = Application(config.load([("/etc/paquet/light/radicale.conf", False)]))

    def ask(self, method: str, name: str, body: str = "", **headers: str) -> int:
        """Send one request below the calendar, and return how many calls it took."""
        said: list[str] = []
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": CALENDAR + name,
            "SCRIPT_NAME": "",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body.encode()),
            "wsgi.errors": sys.stderr,
            "REMOTE_USER": USER,
            "REMOTE_ADDR": "198.18.0.1",
            "SERVER_NAME": "exemple.test",
            "SERVER_PORT": "443",
            "wsgi.url_scheme": "https",
            **headers,
        }
        self._calls = self._listed = self._opened = 0
        sys.setprofile(self._count)
        self._radicale(environ, lambda status, _headers: said.append(status))
        sys.setprofile(None)
        if not said[0].startswith("2"):
            raise ValueError(f"{method} {name}: {said[0]}")
        return self._calls

    def _count(self, _frame: object, event: str, what: object) -> None:
        self._calls += event in ("call", "c_call")
        self._listed += event == "c_call" and what in (os.scandir, os.listdir)
        self._opened += event == "c_call" and what in (open, os.open)

    def put_first(self, number: int) -> int:
        """Keep one more event as a new process does, and return how many files it opened."""
        self._start()
        self.ask("GET", "e0.ics")  # it reads its own templates
        self.put(number)
        return self._opened

    def list(self) -> int:
        """Ask for the names of all events, and return how often a folder was listed for that."""
        self.ask("PROPFIND", "", HTTP_DEPTH="1")
        return self._listed

    def put(self, number: int) -> int:
        """Keep one more event."""
        return self.ask("PUT", f"e{number}.ics", EVENT.format(f"uid{number}"))


def requests(cloud: Cloud, standing: int) -> dict[str, int]:
    """Return the calls of each kind of request, after which `standing` items stand again."""
    there = {"HTTP_DESTINATION": f"https://exemple.test{CALENDAR}moved.ics"}
    new = standing + 1000
    return {
        "a new event": cloud.put(new),
        "a change": cloud.put(new),
        "a look": cloud.ask("GET", f"e{new}.ics"),
        "a move": cloud.ask("MOVE", f"e{new}.ics", **there),
        "a removal": cloud.ask("DELETE", "moved.ics"),
        "the first after a quiet time": cloud.put_first(new),
        "a list": cloud.list(),
        "its removal": cloud.ask("DELETE", f"e{new}.ics"),
    }


def main() -> None:
    """Fill a calendar and tell."""
    cloud = Cloud()
    cloud.ask("PROPFIND", "")
    told = []
    for begin, end in ((0, FEW), (FEW, MANY)):
        for number in range(begin, end):
            cloud.put(number)
        told.append(requests(cloud, end))
    few, many = told
    json.dump({what: [few[what], many[what]] for what in few}, sys.stdout)


if __name__ == "__main__":
    main()
