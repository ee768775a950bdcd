"""Mail in a neighbour's name: all ways that we know, from one bundle in the name of another."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.lab import forgeries
from tests.lab import mail_clients as mail

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab.region import Delivered, Region

pytestmark = pytest.mark.lab

GOOD = ("nothing came", "not forged")


@pytest.fixture(scope="module")
def victim(region: Region, light: Delivered) -> Delivered:
    """A second bundle beside the forger's."""
    mail.install_swaks(light.internet)
    return region.order(f"victime-{light.name}.paquet.test")


@pytest.fixture(autouse=True)
def _names(light: Delivered, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", mail.tell_names(light, socket.getaddrinfo))


def test_no_way_to_send_as_another_bundle_works(
    light: Delivered, victim: Delivered, tell: Callable[[str, object, object], None]
) -> None:
    outcomes = forgeries.attempt(light, victim.address, forgeries.WAYS)

    for name, said in outcomes.items():
        tell(name, said, "no forgery")
    forged = [name for name, said in outcomes.items() if said not in GOOD]
    tell("ways that worked", f"{len(forged)} of {len(outcomes)}", f"0 of {len(outcomes)}")
    assert not forged
