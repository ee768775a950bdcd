"""What a closed bundle takes no more, and what nobody does to one whose erasing began."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from provision.errors import PaquetError, UsageRefused
from provision.registry import states
from provision.servers import guard
from provision.workflows import devices, offboard, plays, users
from provision.workflows.devices import NewDevice
from provision.workflows.plays import change as real_change
from tests.integration.subscriptions.leaving_shop import CLOSING, leave
from tests.integration.subscriptions.privacy_shop import DOMAIN, TODAY

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sqlalchemy import Engine

    from provision.workflows.control import Control
    from provision.workflows.offboard import BundleClosing
    from tests.integration.subscriptions.leaving_shop import Leaving

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
AFTER = TODAY + timedelta(days=31)


@pytest.fixture
def closed(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Leaving:
    made = leave(engine, tmp_path, monkeypatch)
    offboard.close(made.control, DOMAIN, CLOSING)
    return made


@only_sqlite
def test_nobody_comes_into_a_closed_bundle(closed: Leaving) -> None:
    with pytest.raises(UsageRefused, match=f"The bundle of {DOMAIN} is closed for good"):
        users.add(closed.control, DOMAIN, "zoe", "Zoé")
    assert [user.address for user in closed.bundle().users] == [f"jeanne@{DOMAIN}"]
    assert closed.told() == [("bundle.yml", "closed")]


@only_sqlite
def test_no_device_is_enrolled_in_a_closed_bundle(closed: Leaving) -> None:
    with pytest.raises(UsageRefused, match=f"The bundle of {DOMAIN} is closed for good"):
        devices.enrol(closed.control, f"jeanne@{DOMAIN}", NewDevice("Tablette", "android"))
    assert [len(user.devices) for user in closed.bundle().users] == [1]
    assert closed.told() == [("bundle.yml", "closed")]


@pytest.fixture
def half_erased(closed: Leaving, monkeypatch: pytest.MonkeyPatch) -> Leaving:
    """Jeanne's bundle after the server erased it, and before the registry says so."""
    with monkeypatch.context() as killed:
        killed.setattr(offboard, "_forget", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            offboard.erase(closed.on(AFTER), DOMAIN, "it is time")
    assert closed.bundle().state == "closed"
    return closed


@only_sqlite
def test_a_bundle_is_not_closed_again_once_its_erasing_began(half_erased: Leaving) -> None:
    for call in (offboard.close, ask_what_would_close):
        with pytest.raises(PaquetError, match=f"The bundle of {DOMAIN} is being erased"):
            call(half_erased.on(AFTER), DOMAIN, replace(CLOSING, last_day=TODAY))
    assert half_erased.told()[1:] == [("erase.yml", "closed")]
    offboard.erase(half_erased.on(AFTER), DOMAIN, "it is time")
    assert half_erased.bundle().state == "erased"


def ask_what_would_close(control: Control, domain: str, closing: BundleClosing) -> None:
    with control.session() as session:
        offboard.close_in_registry(session, control, domain, closing)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What runs on servers whose locks are free."""
    found: list[str] = []
    monkeypatch.setattr(guard, "hold", lambda *_lock: nullcontext(Mock()))
    monkeypatch.setattr(plays, "start_ansible", lambda *_: nullcontext())
    monkeypatch.setattr(
        plays, "run_ready", lambda play, *_run, **_with: found.append(play.playbook)
    )
    return found


OTHERS = pytest.mark.parametrize("playbook", ["bundle.yml", "backup.yml", "device.yml"])


@only_sqlite
def test_an_erasing_that_began_goes_on(half_erased: Leaving, played: list[str]) -> None:
    real_change(half_erased.control, half_erased.played[-1])
    assert played == ["erase.yml"]


@OTHERS
def test_nothing_else_is_done_on_a_server_once_an_erasing_began(
    half_erased: Leaving, played: list[str], monkeypatch: pytest.MonkeyPatch, playbook: str
) -> None:
    """The state is still the one that the play was made for; not even the lock is asked for."""
    monkeypatch.setattr(guard, "hold", Mock(side_effect=AssertionError))
    with pytest.raises(PaquetError, match=f"The bundle of {DOMAIN} is being erased"):
        real_change(half_erased.control, replace(half_erased.played[-1], playbook=playbook))
    assert played == []


@only_sqlite
@OTHERS
def test_what_waited_while_an_erasing_began_is_not_done(
    closed: Leaving, played: list[str], monkeypatch: pytest.MonkeyPatch, playbook: str
) -> None:
    waiting = replace(closed.played[-1], playbook=playbook)

    def hold(*_lock: object) -> AbstractContextManager[Mock]:
        with closed.control.session() as session:
            subject = f"bundle:{closed.bundle().name}"
            states.record(session, subject, states.ERASING, closed.control.told("it is time"))
        return nullcontext(Mock())

    monkeypatch.setattr(guard, "hold", hold)
    with pytest.raises(PaquetError, match=f"The bundle of {DOMAIN} is being erased"):
        real_change(closed.control, waiting)
    assert played == []
