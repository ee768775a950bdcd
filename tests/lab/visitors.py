"""Visitors of a server: somebody with an address of their own, who knocks at its doors."""

from __future__ import annotations

import itertools
import json
import re
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from provision.process.commands import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.lab.region import Delivered, Region

KNOCKER = Path(__file__).with_name("knocker.py")
DOORS = "/usr/local/lib/paquet/doors"
NOTES = ("/run/paquet/failures.sqlite", "/var/lib/paquet/allowed.json")
SERVER_V6, VISITOR_V6 = "fd77::10", "fd77::{:x}"
NUMBERS = itertools.count(60)
AT_ONCE = 12
PATIENCE = 40.0
BAN = "20"
FILTERS = {
    "submissions": "paquet-submission[service=submissions]",
    "submission": "paquet-submission[service=submission]",
    "imap": "paquet-dovecot[service=imap]",
    "sieve": "paquet-dovecot[service=sieve]",
    "web": "paquet-web",
    "backup": "paquet-backup",
    "sshd": "sshd",
}


@dataclass(frozen=True)
class Door:
    """A port with a login behind it: the jail that guards it, and what one asks for there."""

    jail: str
    port: int
    path: str = ""


MAIL = (Door("submissions", 465), Door("submission", 587), Door("imap", 993), Door("sieve", 4190))


def web_doors(bundle: Delivered) -> tuple[Door, ...]:
    """Return the doors of the bundle's cloud: all are one port, and so one door that closes."""
    paths = {
        "light": ("/dav/", f"/files/{bundle.address}/"),
        "nextcloud": ("/remote.php/dav/", "/ocs/v2.php/cloud/user"),
    }
    return tuple(Door("web", 443, path) for path in paths[bundle.cloud])


@dataclass(frozen=True)
class Visitor:
    """Somebody at `source`, in the network namespace of a machine of the lab."""

    region: Region
    source: str
    server: str
    machine: str = "internet"

    def knock(
        self,
        bundle: Delivered,
        door: Door,
        logins: Sequence[tuple[str, str]],
        at_once: int = AT_ONCE,
    ) -> list[str]:
        """Try `logins` at `door`, some at the same time, and return what came of each."""
        told = {"port": door.port, "path": door.path, "source": self.source, "server": self.server}
        told["host"] = bundle.host
        knocks = [{**told, "login": login, "secret": secret} for login, secret in logins]
        namespace = self.region.lab.folder / "namespaces" / self.machine
        command = ["nsenter", f"--net={namespace}", sys.executable, str(KNOCKER), str(at_once)]
        said: list[str] = json.loads(run(command, given=json.dumps(knocks)).stdout)
        return said

    def gets_in(self, bundle: Delivered, door: Door) -> str:
        """Log in with the right secret and return what came of it."""
        return self.knock(bundle, door, [(bundle.address, bundle.secret)])[0]

    def is_banned(self, door: Door, server: str = "bundles1") -> bool:
        """Whether the door is closed to this visitor, as the server says."""
        said = self.region.machine(server).run([DOORS, "bans"]).stdout
        here = {"door": door.jail, "address": self.source}
        return any(here.items() <= ban.items() for ban in json.loads(said)["bans"])

    def noted_at(self) -> set[str]:
        """Return the doors at which fail2ban has seen a wrong login of this visitor."""
        read = "import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute("
        read += "'SELECT DISTINCT door, address FROM failure'), sep='\\n')"
        command = ["python3", "-c", read, NOTES[0]]
        said = self.region.machine("bundles1").run(command, check=False).stdout
        return set(re.findall(rf"\('(\w+)', '{re.escape(self.source)}'\)", said))

    def wait(self, door: Door, server: str = "bundles1", *, banned: bool) -> bool:
        """Wait until the door is closed to this visitor, or open again; whether that came."""
        deadline = time.monotonic() + PATIENCE
        while (came := self.is_banned(door, server)) != banned and time.monotonic() < deadline:
            time.sleep(0.5)
        return came == banned


@contextmanager
def visitors(region: Region) -> Iterator[tuple[Visitor, Visitor]]:
    """Yield two visitors from the internet, by IPv4 and by IPv6, whom nobody knows yet."""
    server, internet = region.machine("bundles1"), region.machine("internet")
    number = next(NUMBERS)
    address = f"{region.lab.address('internet').rpartition('.')[0]}.{number}"
    address_v6 = VISITOR_V6.format(number)
    places = [(internet, f"{address}/24"), (internet, f"{address_v6}/64")]
    places.append((server, f"{SERVER_V6}/64"))
    flags = {True: ["nodad"], False: []}
    for machine, place in places:
        new = ["ip", "address", "replace", place, "dev", "host0", *flags[":" in place]]
        machine.run(new)
    old = Visitor(region, address, region.lab.address("bundles1"))
    try:
        yield old, replace(old, source=address_v6, server=SERVER_V6)
    finally:
        for visitor in (address, address_v6):
            server.run([DOORS, "lift", visitor])
        server.run(["rm", "-f", *NOTES])
        for machine, place in places:
            machine.run(["ip", "address", "delete", place, "dev", "host0"])


@contextmanager
def short_bans(region: Region, jail: str, server: str = "bundles1") -> Iterator[None]:
    """Have the bans of one jail end after some seconds."""
    client = ["fail2ban-client", "set", jail, "bantime"]
    machine = region.machine(server)
    usual = machine.run(["fail2ban-client", "get", jail, "bantime"]).stdout.strip()
    machine.run([*client, BAN])
    try:
        yield
    finally:
        machine.run([*client, usual])


def counted(region: Region, jail: str, since: float, server: str = "bundles1") -> int:
    """Return how many lines of the journal since then fail2ban takes for wrong logins there."""
    journal = f"journalctl --since=@{since:.0f} --output=short > /run/journal.txt"
    regex = f"fail2ban-regex /run/journal.txt '{FILTERS[jail]}'; rm /run/journal.txt"
    said = region.machine(server).run(["sh", "-c", f"{journal}; {regex}"]).stdout
    line = next(line for line in said.splitlines() if line.startswith("Lines:"))
    return int(line.split(" matched")[0].split()[-1])
