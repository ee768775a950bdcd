"""What an event costs in a full calendar of the light cloud, and who waits for whom."""

from __future__ import annotations

import base64
import http.client
import socket
import ssl
import statistics
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from provision.workflows import devices
from tests.bench.figures import timed
from tests.lab.quota_attacks import CALENDAR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.figures import Figures
    from tests.lab.region import Delivered, Region

EVENTS, WRITERS, TIMES = 5000, 4, 20


@dataclass(frozen=True)
class Login:
    """A user, and a secret of hers."""

    address: str
    secret: str


class Line(http.client.HTTPSConnection):
    """A connection to a bundle, whose name the lab alone knows; made anew when it was closed."""

    def __init__(self, bundle: Delivered) -> None:
        self._trusts = ssl.create_default_context(cafile=str(bundle.authority))
        self._address = bundle.mail_address
        super().__init__(bundle.host, context=self._trusts)

    def connect(self) -> None:
        """Connect to the address that we know."""
        raw = socket.create_connection((self._address, 443), timeout=60)
        self.sock = self._trusts.wrap_socket(raw, server_hostname=self.host)


class Calendar:
    """One user's calendar, over one connection as a phone has it."""

    def __init__(self, bundle: Delivered, login: Login) -> None:
        self._line = Line(bundle)
        said = base64.b64encode(f"{login.address}:{login.secret}".encode()).decode()
        self._headers = {"Authorization": f"Basic {said}", "Content-Type": "text/calendar"}
        self._path = f"/dav/{login.address}/agenda/"

    def put(self, name: str) -> None:
        """Keep one event."""
        event = CALENDAR.format(uid=name, text="x")
        self._line.request("PUT", f"{self._path}{name}.ics", event, self._headers)
        answer = self._line.getresponse()
        answer.read()
        if answer.status != http.client.CREATED:
            raise ValueError(f"{name}: {answer.status}")

    def median(self, name: str) -> float:
        """Keep some events, and return the seconds that one takes."""
        took = [timed(partial(self.put, f"{name}{number}")) for number in range(TIMES)]
        return statistics.median(took)


def measure(figures: Figures, region: Region) -> None:
    """Measure the first and the last event of a large calendar, and a neighbour's beside it."""
    bundle = region.order("agendas.paquet.test", cloud="light").with_neighbour()
    new = devices.enrol(region.control, bundle.neighbour, devices.NewDevice("banc", "desktop"))
    mine = partial(Calendar, bundle, Login(bundle.address, bundle.secret))
    first = mine().median("first")
    figures.add(f"light: an event, median of the first {TIMES}", first)
    took = timed(lambda: side_by_side([partial(fill, mine(), n) for n in range(WRITERS)]))
    figures.add(f"light: {EVENTS} events by {WRITERS} programs", took)
    last = mine().median("last")
    aim = "≤ 1.5 × the first"
    figures.add(f"light: an event among {EVENTS}", last, aim=aim, ratio=last / first)
    other = Calendar(bundle, Login(bundle.neighbour, new.secret.get_secret_value()))
    alone = other.median("alone")
    figures.add("light: an event of a neighbour, alone", alone)
    with written(mine):
        beside = other.median("beside")
    what = f"light: an event of a neighbour beside {WRITERS} who write"
    figures.add(what, beside, aim="≤ 2 × alone", ratio=beside / alone)


def fill(calendar: Calendar, part: int) -> None:
    """Keep one part of the events."""
    for number in range(part, EVENTS, WRITERS):
        calendar.put(f"fill{number}")


def side_by_side(works: list[partial[None]]) -> None:
    """Do all works at once."""
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@contextmanager
def written(mine: partial[Calendar]) -> Iterator[None]:
    """Write to the full calendar meanwhile, without a pause."""
    over = threading.Event()

    def write(part: int) -> None:
        calendar, number = mine(), 0
        while not over.is_set():
            calendar.put(f"more{part}-{number}")
            number += 1

    works = [partial(write, number) for number in range(WRITERS)]
    thread = threading.Thread(target=side_by_side, args=(works,))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
