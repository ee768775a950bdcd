"""What one bundle does at its worst, as its own user, and how its neighbour is served meanwhile."""

from __future__ import annotations

import json
import statistics
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.lab.contract.clients import Clients
    from tests.lab.region import Delivered

# Debian's wrapper reads a configuration that is not for everybody.
PSQL = "/usr/lib/postgresql/17/bin/psql"
# Connections of its own role, as many as it gets; it stays until its input ends.
HOLD = """
import psycopg, sys
held = []
try:
    while len(held) < 400:
        held.append(psycopg.connect("host=/run/postgresql"))
except psycopg.OperationalError as refused:
    print(len(held), str(refused).splitlines()[0], flush=True)
sys.stdin.read()
"""
# Connections to a port, by the loopback and by the server's own address, as many as are let in.
DOOR = """
import socket, sys
held = []
for address in sys.argv[2:] * 60:
    try:
        held.append(socket.create_connection((address, int(sys.argv[1])), timeout=5))
    except OSError:
        pass
print(len(held))
"""


def as_user(bundle: Delivered, *words: str) -> list[str]:
    """Return `words` as the bundle's own Unix user."""
    return ["runuser", "-u", bundle.name, "--", *words]


def redis(bundle: Delivered, *words: str) -> list[str]:
    """Return a command to the bundle's own Redis."""
    return as_user(bundle, "redis-cli", "-s", f"/run/paquet-cache/{bundle.name}/cache.sock", *words)


def psql(bundle: Delivered, statement: str) -> str:
    """Return what PostgreSQL says to the bundle's own role, errors too."""
    command = as_user(bundle, PSQL, "-At", "-v", "ON_ERROR_STOP=1", "-h", "/run/postgresql")
    done = bundle.server.run(command, given=statement, check=False)
    return (done.stdout + done.stderr).strip()


def held_connections(bundle: Delivered) -> str:
    """Return how many connections the bundle's role got, and what it was told then."""
    hold = as_user(bundle, "python3", "-c", "import sys; exec(sys.stdin.readline())")
    return bundle.server.run(hold, given=f"exec({HOLD!r})\n").stdout


def held_at(bundle: Delivered, port: int) -> int:
    """Return how many connections to a port of its own server a bundle holds at once."""
    hold = ["python3", "-c", DOOR, str(port), "127.0.0.1", bundle.mail_address]
    return int(bundle.server.run(as_user(bundle, *hold)).stdout)


def last_backup(bundle: Delivered) -> dict[str, Any]:
    """Return what is told of the last backup."""
    path = f"/var/lib/paquet/backup/{bundle.name}/last.json"
    told: dict[str, Any] = json.loads(bundle.server.run(["cat", path]).stdout)
    return told


def headers(clients: Clients, url: str) -> str:
    """Return the head of the answer to a PROPFIND, in small letters."""
    lines = [
        f'user = "{clients.bundle.address}:{clients.secret}"',
        f'cacert = "{clients.bundle.authority}"',
        'request = "PROPFIND"',
        f'url = "{url}"',
        'output = "/dev/null"',
        'dump-header = "-"',
        "silent",
    ]
    return clients.run(["curl", "--config", "-"], given="\n".join(lines)).stdout.lower()


@dataclass(frozen=True)
class Quiet:
    """How a neighbour is served."""

    median: float
    worst: float
    wrong: int


def served(clients: Clients, url: str, times: int = 15) -> Quiet:
    """Ask `times` for `url` and return how long it took, and how often the answer was no good."""
    took, wrong = [], 0
    for _ in range(times):
        begun = time.monotonic()
        wrong += clients.status("PROPFIND", url) != 207
        took.append(time.monotonic() - begun)
    return Quiet(statistics.median(took), max(took), wrong)


@contextmanager
def meanwhile(bundle: Delivered, *commands: Sequence[str]) -> Iterator[None]:
    """Run `commands` on the bundle's server meanwhile, and end them afterwards."""
    unit = f"test-worst-{bundle.name}"

    def start(number: int, command: Sequence[str]) -> None:
        words = ["systemd-run", "--quiet", "--collect", "--wait", f"--unit={unit}-{number}"]
        bundle.server.run([*words, *command], check=False)

    threads = [threading.Thread(target=start, args=one) for one in enumerate(commands)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(1)
        yield
    finally:
        bundle.server.run(["systemctl", "stop", f"{unit}-*"], check=False)
        for thread in threads:
            thread.join()
