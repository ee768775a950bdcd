"""A real Knot on loopback, with its own configuration, storage and port."""

from __future__ import annotations

import base64
import os
import socket
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from provision.dns.lookup import NameServer, Outcome, ask
from provision.dns.providers.knot import Key, Knot
from provision.process.commands import is_installed, start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ZONE = "paquet.test."
CONFIGURATION = """
server:
    rundir: "{folder}"
    user: {user}
    listen: 127.0.0.1@{port}
log:
  - target: stderr
    any: warning
database:
    storage: "{folder}"
key:
  - id: paquet
    algorithm: hmac-sha256
    secret: {secret}
  - id: reader
    algorithm: hmac-sha256
    secret: {secret}
acl:
  - id: paquet
    key: paquet
    action: [transfer, update]
  - id: reader
    key: reader
    action: transfer
zone:
  - domain: paquet.test
    storage: "{folder}"
    file: paquet.test.zone
    acl: [paquet, reader]
"""
ZONE_FILE = """
$ORIGIN paquet.test.
$TTL 3600
@ SOA ns hostmaster 1 3600 900 1209600 300
@ NS ns
ns A 127.0.0.1
neighbour A 203.0.113.99
neighbour TXT "left alone"
"""


@dataclass(frozen=True)
class Running:
    """A started name server and the secret that its keys share."""

    port: int
    secret: str

    @property
    def asked(self) -> NameServer:
        return NameServer("127.0.0.1", self.port)

    def provider(self, key_name: str = "paquet", secret: str = "") -> Knot:
        key = Key(key_name, "hmac-sha256", SecretStr(secret or self.secret))
        return Knot("127.0.0.1", self.port, key)


@contextmanager
def running_knot(folder: Path) -> Iterator[Running]:
    """Start a Knot in `folder`; skip the test where it is not installed."""
    if not is_installed("knotd"):
        pytest.skip("knotd is not installed (Debian package knot)")
    running = Running(_free_port(), base64.b64encode(os.urandom(32)).decode())
    configuration = folder / "knot.conf"
    user = "root" if os.geteuid() == 0 else os.environ["USER"]
    configuration.write_text(
        CONFIGURATION.format(folder=folder, user=user, port=running.port, secret=running.secret)
    )
    (folder / "paquet.test.zone").write_text(ZONE_FILE)
    daemon = start(["knotd", "--config", str(configuration)])
    try:
        _wait_until_it_answers(running)
        yield running
    finally:
        daemon.terminate()
        daemon.wait(timeout=20)


def _wait_until_it_answers(running: Running) -> None:
    deadline = time.monotonic() + 20
    while ask(ZONE, "SOA", running.asked).outcome is not Outcome.FOUND:
        if time.monotonic() > deadline:
            pytest.fail("knotd did not answer within 20 seconds")
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
