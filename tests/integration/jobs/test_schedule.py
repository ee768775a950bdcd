"""What comes by itself: once when its time has come, for all who look."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import pytest
from sqlalchemy import select

from provision.errors import PaquetError
from provision.jobs import schedule
from provision.jobs.schedule import ScheduleEntry
from provision.registry import findings
from provision.registry.models import Run, Schedule
from provision.registry.runs import WantedRun

if TYPE_CHECKING:
    from tests.integration.jobs.conftest import Trial

AT_ONCE = 6


@pytest.fixture(autouse=True)
def entries(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """One entry, each day at 4:40 on the wall."""
    asked = [WantedRun("trial", "trial:day", ("first",)), WantedRun("trial", "trial:two", ())]
    monkeypatch.setattr(schedule, "ENTRIES", {"bill": ScheduleEntry("bills", lambda _: asked)})
    monkeypatch.setattr("provision.jobs.schedule.moment", lambda _session, machine: machine.clock())
    trial.now = datetime(2026, 11, 30, 3, 0).astimezone(UTC)
    assert schedule.begin_due(trial.control) == []


def asked(trial: Trial) -> list[str]:
    with trial.control.reading() as session:
        return list(session.scalars(select(Run.subject).order_by(Run.id)))


def test_it_comes_when_its_time_has_come_and_once(trial: Trial) -> None:
    trial.later(hours=1, minutes=39)
    assert schedule.begin_due(trial.control) == []
    trial.later(minutes=1)
    assert len(schedule.begin_due(trial.control)) == 2
    assert asked(trial) == ["trial:day", "trial:two"]
    assert schedule.begin_due(trial.control) == []
    trial.later(days=1)
    assert len(schedule.begin_due(trial.control)) == 2


def test_after_days_of_sleep_it_comes_once(trial: Trial) -> None:
    trial.later(days=5)
    assert len(schedule.begin_due(trial.control)) == 2
    assert schedule.begin_due(trial.control) == []


def test_of_many_who_look_at_once_one_asks(trial: Trial) -> None:
    trial.later(days=1)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        begun = list(threads.map(schedule.begin_due, [trial.control] * AT_ONCE))
    assert sorted(map(len, begun)) == [0] * (AT_ONCE - 1) + [2]


def test_what_is_paused_does_not_come_and_comes_again(trial: Trial) -> None:
    def pause(why: str) -> None:
        with trial.control.session() as session:
            schedule.pause(session, trial.control, "bill", why)

    pause("holidays")
    trial.later(days=1)
    assert schedule.begin_due(trial.control) == []
    assert schedule.listing(trial.control)[0]["next"] == "paused"
    pause("")
    assert len(schedule.begin_due(trial.control)) == 2


def test_asked_for_by_hand_it_comes_at_once(trial: Trial) -> None:
    first, _second = schedule.begin(trial.control, "bill")
    assert schedule.listing(trial.control)[0]["job"] == first
    with pytest.raises(PaquetError, match="Nothing called tea"):
        schedule.begin(trial.control, "tea")


def test_other_times_in_the_settings_are_counted_anew(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "_written", lambda _control, _name: "0 3 * * *")
    assert schedule.begin_due(trial.control) == []
    with trial.control.reading() as session:
        (row,) = session.scalars(select(Schedule))
        assert row.times == "0 3 * * *"
    monkeypatch.setattr(schedule, "_written", lambda _control, _name: "")
    trial.later(days=9)
    assert schedule.begin_due(trial.control) == []
    assert schedule.listing(trial.control)[0]["next"] == "never"


def test_what_would_come_is_shown_and_nothing_is_written(trial: Trial) -> None:
    trial.later(days=1)
    assert [row["about"] for row in schedule.preview(trial.control, None)] == [
        "trial:day",
        "trial:two",
    ]
    assert asked(trial) == []


def test_jitter_spreads_and_never_comes_early(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = ScheduleEntry("bills", lambda _: [], timedelta(minutes=50))
    monkeypatch.setattr(schedule, "ENTRIES", {"bill": entry})
    at = datetime(2026, 11, 30, 4, 40).astimezone(UTC)
    comes = [schedule.next_time(trial.control, "bill", trial.now) - at for _ in range(20)]
    assert min(comes) >= timedelta()
    assert max(comes) < timedelta(minutes=50)
    assert len(set(comes)) > 1


def test_times_that_are_none_are_told(trial: Trial) -> None:
    words = {**cast("dict[str, object]", trial.control.settings.model_dump())}
    words["schedule"] = {"bill": "every morning"}
    control = trial.control.__class__(
        trial.control.settings.model_validate(words), trial.control.engine, "somebody"
    )
    assert schedule.begin_due(control) == []
    with control.reading() as session:
        (finding,) = findings.untold(session)
    assert finding.message == "schedule.bill says no times: 'every morning'"


def test_an_entry_that_cannot_come_stops_no_other_and_comes_later(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unable(_control: object) -> list[WantedRun]:
        raise PaquetError("there is no inventory", "Write one.")

    good = schedule.ENTRIES["bill"]
    entries = {"check": ScheduleEntry("looks", unable), "bill": good}
    monkeypatch.setattr(schedule, "ENTRIES", entries)
    schedule.begin_due(trial.control)
    trial.later(days=1)
    assert len(schedule.begin_due(trial.control)) == 2
    monkeypatch.setitem(entries, "check", good)
    assert schedule.begin_due(trial.control) == []
    with trial.control.reading() as session:
        assert [finding.message for finding in findings.untold(session)] == [
            "there is no inventory"
        ]
    trial.later(minutes=10)
    assert len(schedule.begin_due(trial.control)) == 2
    with trial.control.reading() as session:
        assert findings.untold(session) == []
