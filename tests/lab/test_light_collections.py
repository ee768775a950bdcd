"""Calendars of thousands of events, and people who share a bundle of the light cloud."""

from __future__ import annotations

import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from provision.workflows import devices
from tests.lab import neighbours
from tests.lab.contract.clients import Clients
from tests.lab.quota_attacks import CALENDAR, Attacker
from tests.lab.region import Delivered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]
READ, CREATED, LISTED, BUSY = 200, 201, 207, 503
AT_ONCE, SERVED_AT_ONCE = 20, 16
CHANGED_OFTEN = 200  # lines of what is known of one event that was changed 500 times


class Neighbour(Delivered):
    """The bundle as its second user has it."""

    @property
    def address(self) -> str:
        """The second user's login."""
        return self.neighbour


def attacker_of(delivered: Delivered, folder: Path) -> Attacker:
    """Return one who asks with curl."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    folder.mkdir()
    return Attacker(delivered, Clients(delivered, delivered.secret, folder), folder)


@pytest.fixture
def attacker(light: Delivered, tmp_path: Path) -> Attacker:
    """The first user of a bundle."""
    return attacker_of(light, tmp_path / "first")


@pytest.fixture
def other(light: Delivered, tmp_path: Path) -> Iterator[Attacker]:
    """The second user of the same bundle, with a device for one test."""
    control = light.region.control
    device = devices.enrol(control, light.neighbour, devices.NewDevice("beside", "desktop"))
    theirs = Neighbour(light.region, light.bundle, device, light.delivery)
    yield attacker_of(theirs, tmp_path / "second")
    devices.revoke(control, light.neighbour, "beside")


def said_by(light: Delivered, program: str) -> str:
    """Return what a program of this folder says there, in an empty HOME."""
    script = Path(__file__).with_name(program).read_text("utf-8")
    run = 'HOME=$(mktemp -d) && export HOME && python3 -I - ; code=$?; rm -r "$HOME"; exit $code'
    return light.server.run(neighbours.as_user(light, "sh", "-c", run), given=script).stdout


@pytest.fixture(scope="module")
def work(light: Delivered) -> dict[str, list[int]]:
    """What Radicale does for each kind of request among few and among many events."""
    told: dict[str, list[int]] = json.loads(said_by(light, "radicale_work.py"))
    return told


EACH = ["a new event", "a change", "a look", "a move", "a removal", "a list"]
EACH += ["the first after a quiet time"]


@pytest.mark.parametrize("what", EACH)
def test_a_request_costs_the_same_among_few_events_and_among_many(
    work: dict[str, list[int]], what: str
) -> None:
    few, many = work[what]
    assert 0 < many <= few


def test_a_uid_is_taken_once_whatever_happened_to_its_file(
    light: Delivered, attacker: Attacker
) -> None:
    """Also by a file that was laid there from outside, as a restore does."""
    home = f"/srv/bundles/{light.name}/dav/collection-root/{light.address}/agenda"

    def put(name: str, uid: str) -> int:
        body = attacker.text(CALENDAR.format(uid=uid, text="x"))
        return attacker.send("PUT", f"{attacker.calendar}{name}.ics", body)

    names = ["uid1", "uid2", "uid3"]
    try:
        assert [put("uid1", "one"), put("uid2", "one"), put("uid2", "two")] == [201, 409, 201]
        copied = f"sed s/one/three/ {home}/uid1.ics >{home}/uid3.ics"
        light.server.run(neighbours.as_user(light, "sh", "-c", copied))
        assert put("uid4", "three") == 409
        there = f"{attacker.calendar}uid4.ics"
        assert attacker.copy(f"{attacker.calendar}uid1.ics", there, "MOVE") == 201
        assert [put("uid1", "one"), put("uid4", "one")] == [409, 204]
        assert attacker.send("DELETE", there) == 200
        assert put("uid1", "one") == 201
    finally:
        for name in [*names, "uid4"]:
            attacker.send("DELETE", f"{attacker.calendar}{name}.ics")


def test_no_uid_is_known_of_what_is_there_no_longer(light: Delivered) -> None:
    told = json.loads(said_by(light, "radicale_uids.py"))
    assert told.pop("changed often") < CHANGED_OFTEN
    assert told == {"put anew": 0, "within a tick": 0}


def test_nobody_waits_for_another_whose_calendar_is_being_written(
    light: Delivered, attacker: Attacker, other: Attacker
) -> None:
    lock = f"/srv/bundles/{light.name}/dav/.Radicale.lock-{light.address}"
    body = attacker.text(CALENDAR.format(uid="waits", text="x"))
    said: list[int] = []

    def wait(number: int) -> None:
        said.append(attacker.send("PUT", f"{attacker.calendar}waits{number}.ics", body))

    assert attacker.send("PROPFIND", attacker.calendar) == LISTED
    with ThreadPoolExecutor(AT_ONCE) as pool:
        holding = neighbours.as_user(light, "flock", lock, "sleep", "100")
        with neighbours.meanwhile(light, holding):
            pool.map(wait, range(AT_ONCE))
            until(lambda: len(said) == AT_ONCE - SERVED_AT_ONCE)
            assert other.send("PUT", other.calendar + "waits.ics", body) == CREATED
            assert other.send("GET", other.files) == READ
            assert said == [BUSY] * (AT_ONCE - SERVED_AT_ONCE)
    assert said.count(CREATED) == 1
    other.send("DELETE", other.calendar + "waits.ics")
    for number in range(AT_ONCE):
        attacker.send("DELETE", f"{attacker.calendar}waits{number}.ics")


def until(true: Callable[[], bool]) -> None:
    """Wait for something, not for ever."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)
