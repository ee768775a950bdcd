"""PostgreSQL is away for half a minute: what each door says meanwhile, and when it serves again."""

from __future__ import annotations

import re
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.lab import away
from tests.lab.contract.clients import Clients, files_url
from tests.lab.mail_clients import Device

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.lab.region import Delivered

pytestmark = pytest.mark.lab

AWAY_SECONDS = 30.0
DAV = {"light": "/dav/", "nextcloud": "/remote.php/dav/"}
SERVES = (200, 207)
STAMP = re.compile(r" *\[\w+:[-0-9: ]+\]")  # by which Dovecot's log is searched


def web_doors(bundle: Delivered, folder: Path) -> dict[str, Callable[[], str]]:
    """Return what asks each web door of a bundle."""
    clients = Clients(bundle, bundle.secret, folder)
    asked = {
        f"{bundle.cloud} DAV": ("PROPFIND", f"https://{bundle.host}{DAV[bundle.cloud]}"),
        f"{bundle.cloud} files": ("PROPFIND", files_url(bundle)),
    }
    if bundle.cloud == "nextcloud":
        asked["nextcloud status.php"] = ("GET", f"https://{bundle.host}/status.php")
    return {name: partial(_status, clients, *request) for name, request in asked.items()}


def _status(clients: Clients, method: str, url: str) -> str:
    status = clients.status(method, url)
    return away.GOOD if status in SERVES else str(status)


@pytest.mark.usefixtures("mail_names")
def test_every_door_says_later_for_half_a_minute_and_serves_within_ten_seconds(
    light: Delivered,
    nextcloud: Delivered,
    tmp_path: Path,
    tell: Callable[[str, object, object], None],
) -> None:
    user = Device("", light.address, light.secret)
    doors = away.mail_doors(light, user)
    for cloud in (light, nextcloud):
        folder = tmp_path / cloud.cloud
        folder.mkdir()
        doors |= web_doors(cloud, folder)
    wanted = {name: away.MAIL_DOORS_SAY.get(name, "503") for name in doors}
    assert {name: ask() for name, ask in doors.items()} == dict.fromkeys(doors, away.GOOD)
    counted = away.counted_attacks(light)

    said: dict[str, set[str]] = {name: set() for name in doors}
    with away.waiting_letter(light, user) as letter:
        with away.away(light):
            begun = time.monotonic()
            while time.monotonic() - begun < AWAY_SECONDS:
                for name, answer in away.said_by(doors).items():
                    said[name].add(STAMP.sub("", answer).strip())
        back = away.until_back({**doors, "a letter that waited": letter})

    for name in doors:
        tell(f"{name}, away", " | ".join(sorted(said[name])), wanted[name])
    for name in (*doors, "a letter that waited"):
        tell(f"{name}, back after", f"{back.get(name, 99):.1f} s", f"{away.BACK_WITHIN:.0f} s")
    attacks = away.counted_attacks(light) - counted
    tell("counted as attacks", attacks, 0)
    assert {n for n, hint in wanted.items() if any(hint not in one for one in said[n])} == set()
    assert {
        n for n in (*doors, "a letter that waited") if back.get(n, 99) > away.BACK_WITHIN
    } == set()
    assert attacks == 0
