"""Runs, on SQLite and on PostgreSQL: resumed, taken over, one at a time on a server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from provision.errors import PaquetError, UnsafeChange, UsageRefused
from provision.jobs import engine as engines
from provision.jobs import kinds, starting
from provision.jobs.engine import PAUSES, Ended, StepFailed
from provision.jobs.following import Follower
from provision.jobs.heart import moment
from provision.jobs.work import RunKind
from provision.registry import findings, runs
from provision.registry.findings import LookedAt
from provision.registry.models import KnownFinding, RunLine
from provision.registry.runs import LEASES, Owner, TakenOver, Takes, WantedRun
from provision.workflows import privacy
from tests.integration.jobs.conftest import STEPS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from tests.integration.jobs.conftest import Trial

ROW = {"check": "web", "result": "error", "message": "no answer of jeanne.test", "hint": ""}
OVER = max(LEASES.values()).total_seconds() + 1
OTHER = Owner("another", "elsewhere 1 pid 7 9", "0.1.0+other")


def fail(words: str = "the server is away") -> Callable[[], object]:
    def failing() -> object:
        raise PaquetError(words, "Mend it.")

    return failing


def test_a_run_does_its_steps_in_turn_and_keeps_what_each_brought(trial: Trial) -> None:
    finished = starting.finish(trial.control, trial.ask())
    assert trial.did == ["first", "second", "third"]
    assert finished.facts == [{"step": "first"}, {"step": "second"}, {"step": "third"}]
    assert trial.state(finished.run_id) == ("done", ["done"] * 3)
    assert [state for state, _why in trial.settled] == ["running", "done"]


def test_what_it_told_is_kept_each_line_once(trial: Trial) -> None:
    number = starting.finish(trial.control, trial.ask()).run_id
    with trial.control.reading() as session:
        kept = select(RunLine.text).where(RunLine.run_id == number).order_by(RunLine.position)
        lines = list(session.scalars(kept))
    assert lines == trial.lines
    assert lines[:3] == ["first is told", "  first ended", "second is told"]


def test_a_run_that_failed_goes_on_at_the_step_that_failed(trial: Trial) -> None:
    number = trial.ask()
    trial.does["second"] = fail()
    with pytest.raises(StepFailed, match="Step second failed: the server is away") as failed:
        starting.finish(trial.control, number)
    assert f"paquet job retry {number}" in failed.value.hint
    assert trial.state(number) == ("failed", ["done", "failed", "waiting"])
    del trial.does["second"]
    starting.again(trial.control, number)
    starting.finish(trial.control, number)
    assert trial.did == ["first", "second", "second", "third"]
    assert trial.settled[1] == ("failed", "Step second failed: the server is away")


def test_a_failed_run_is_not_done_when_it_is_asked_after(trial: Trial) -> None:
    number = trial.ask()
    trial.does["first"] = fail()
    with pytest.raises(StepFailed):
        starting.finish(trial.control, number)
    with pytest.raises(PaquetError, match="the server is away"):
        starting.finish(trial.control, number)


def test_an_owner_from_whom_a_run_was_taken_writes_no_more(trial: Trial) -> None:
    number = trial.ask()
    held = trial.take(number, OTHER)
    assert held is not None
    assert trial.take(number) is None, "the other one is alive as far as anybody knows"
    trial.later(seconds=OVER)
    engines.carry_out(trial.control, trial.held(number))
    with pytest.raises(TakenOver, match="taken over"):
        engines.carry_out(trial.control, held)
    assert trial.state(number) == ("done", ["done"] * 3)


def test_one_that_is_taken_over_in_a_step_writes_nothing_of_it(trial: Trial) -> None:
    number = trial.ask()

    def lose() -> None:
        trial.later(seconds=OVER)
        assert trial.take(number, OTHER) is not None

    trial.does["second"] = lose
    with pytest.raises(TakenOver):
        starting.finish(trial.control, number)
    assert trial.state(number) == ("running", ["done", "running", "waiting"])


def test_a_machine_whose_clock_is_wrong_takes_nothing_from_the_living(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    if trial.control.engine.dialect.name != "postgresql":
        pytest.skip("SQLite is of one machine, whose clock is its own")
    monkeypatch.setattr("provision.jobs.engine.moment", moment)
    trial.later(days=-3650)
    number = trial.ask()
    assert trial.take(number, OTHER) is not None
    trial.later(days=36500)
    assert trial.take(number) is None, "its lease is young by the registry's clock"


def test_a_server_has_one_run_at_a_time(trial: Trial) -> None:
    one, two, elsewhere = (
        trial.ask(f"trial:{place}", server)
        for place, server in ((1, "bundles1"), (2, "bundles1"), (3, "bundles2"))
    )
    held = trial.held(one)
    assert trial.take(two) is None
    assert trial.take(elsewhere) is not None
    engines.carry_out(trial.control, held)
    assert trial.take(two) is not None


def test_who_waits_in_person_comes_before_the_night(trial: Trial) -> None:
    night = trial.ask("trial:1", "bundles1", runs.NIGHTLY)
    person = trial.ask("trial:2", "bundles1", runs.PERSON_WAITS)
    elsewhere = trial.ask("trial:3", "bundles2")
    assert night
    with trial.control.reading() as session:
        due = runs.next_due(session, trial.now, Takes(("servers",), ("trial",)), 5)
        assert [run.id for run in due] == [person, elsewhere], "one of each server"
        assert runs.next_due(session, trial.now, Takes(("money",), ("trial",)), 5) == []
        assert runs.next_due(session, trial.now, Takes(("servers",), ("order",)), 5) == []


def test_asked_for_twice_it_is_one_run(trial: Trial) -> None:
    first = trial.ask()
    assert trial.ask() == first
    starting.finish(trial.control, first)
    assert trial.ask() != first


def test_a_worker_tries_again_after_pauses_that_grow(trial: Trial) -> None:
    number = trial.ask()
    trial.does["first"] = fail()
    for pause in PAUSES:
        with pytest.raises(StepFailed):
            engines.carry_out(trial.control, trial.held(number), patient=True)
        assert trial.state(number)[0] == "waiting"
        trial.later(seconds=pause - 1)
        assert trial.take(number) is None
        trial.later(seconds=1)
    with pytest.raises(StepFailed):
        engines.carry_out(trial.control, trial.held(number), patient=True)
    assert trial.state(number)[0] == "failed"


def test_a_worker_does_not_try_again_what_cannot_be(trial: Trial) -> None:
    number = trial.ask()

    def refuse() -> None:
        raise UsageRefused("no such plan", "See the list.")

    trial.does["first"] = refuse
    with pytest.raises(StepFailed):
        engines.carry_out(trial.control, trial.held(number), patient=True)
    assert trial.state(number)[0] == "failed"


def test_a_cancelled_run_ends_between_two_steps(trial: Trial) -> None:
    number = trial.ask()

    def cancel() -> None:
        with trial.control.session() as session:
            run = runs.get(session, number)
            runs.cancel(session, run, trial.control.told("not today"))

    trial.does["first"] = cancel
    with pytest.raises(Ended, match="not today"):
        starting.finish(trial.control, number)
    assert trial.state(number) == ("cancelled", ["done", "waiting", "waiting"])
    assert trial.did == ["first"]


def test_a_worker_that_stops_leaves_its_run_to_another(trial: Trial) -> None:
    number = trial.ask()
    stopping = replace(trial.control, stops=lambda: trial.did == ["first"])
    with pytest.raises(Ended, match="this worker stops"):
        engines.carry_out(stopping, trial.held(number), patient=True)
    assert trial.state(number) == ("waiting", ["done", "waiting", "waiting"])
    starting.finish(trial.control, number)
    assert trial.did == ["first", "second", "third"]


@pytest.mark.parametrize(
    ("broken", "told"),
    [(KeyboardInterrupt(), "it was interrupted"), (TypeError("x"), "this is a bug: TypeError")],
)
def test_a_broken_run_says_why_and_can_go_on(
    trial: Trial, broken: BaseException, told: str
) -> None:
    number = trial.ask()

    def breaks() -> None:
        raise broken

    trial.does["second"] = breaks
    with pytest.raises(type(broken)):
        starting.finish(trial.control, number)
    assert trial.settled[-1] == ("failed", told)
    del trial.does["second"]
    starting.again(trial.control, number)
    starting.finish(trial.control, number)
    assert trial.did == ["first", "second", "second", "third"]


def test_it_says_that_it_goes_on_under_other_code(trial: Trial) -> None:
    number = trial.ask()
    assert trial.take(number, OTHER) is not None
    trial.later(seconds=OVER)
    starting.finish(trial.control, number)
    with trial.control.reading() as session:
        first = session.scalars(select(RunLine.text).order_by(RunLine.position)).first()
        assert runs.get(session, number).code == OTHER.code
    assert first is not None
    assert first.startswith("begun by 0.1.0+other, it goes on by 0.1.0+")


def test_a_kind_that_another_release_knows_is_left_to_it(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = trial.ask()
    monkeypatch.delitem(kinds.KINDS, "trial")
    with pytest.raises(PaquetError, match="knows no jobs of the kind 'trial'"):
        starting.finish(trial.control, number)
    assert trial.state(number)[0] == "waiting"


def test_what_jobs_told_is_forgotten_after_its_time(trial: Trial) -> None:
    number = starting.finish(trial.control, trial.ask()).run_id
    with trial.control.session() as session:
        findings.note(session, LookedAt("bundle:b1", [ROW]), trial.now)
        findings.note(session, LookedAt("bundle:b1", []), trial.now)
    ended = trial.now.date()

    def going(on: date) -> list[str]:
        with trial.control.reading() as session:
            return [expiry.key for expiry in privacy.due(session, on)]

    assert going(ended + timedelta(days=89)) == []
    assert going(ended + timedelta(days=91)) == [ended.isoformat()]
    with trial.control.session() as session:
        runs.forget(session, ended)
        findings.forget(session, ended)
        assert session.scalars(select(RunLine)).all() == []
        assert session.scalars(select(KnownFinding)).all() == []
        with pytest.raises(PaquetError, match=f"There is no job {number}"):
            runs.get(session, number)
    assert going(ended + timedelta(days=91)) == []


def test_of_an_order_the_steps_stay_and_its_lines_go(trial: Trial) -> None:
    with trial.control.session() as session:
        wanted = WantedRun(runs.ORDER, "order:7", ("names",))
        run = runs.ask(session, wanted, trial.control.told())
        runs.keep_lines(session, run.id, [RunLine(at=trial.now, text="jeanne@exemple.fr")])
        run.state = runs.RUNNING
        runs.end(session, run, runs.DONE, trial.now)
        runs.forget(session, trial.now.date())
        assert session.scalars(select(RunLine)).all() == []
        assert [step.name for step in runs.get(session, run.id).steps] == ["names"]
        assert runs.days_over(session, trial.now.date()) == set()


def test_a_run_about_what_became_something_else_fails_and_is_not_tried_for_ever(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_words: object) -> None:
        raise PaquetError("order:7 is cancelled", "Place a new one.")

    number = trial.ask()
    kind = RunKind(trial.begin, refuse)
    monkeypatch.setitem(kinds.KINDS, "trial", kind)
    assert trial.take(number) is None
    assert trial.state(number)[0] == "failed"
    with pytest.raises(PaquetError, match="order:7 is cancelled"):
        starting.finish(trial.control, number)
    assert trial.did == []


def test_of_many_who_ask_for_the_same_at_once_one_run_comes(trial: Trial) -> None:
    wanted = WantedRun("trial", "trial:same", ("first",))
    with ThreadPoolExecutor(8) as threads:
        numbers = set(threads.map(lambda _: starting.ask(trial.control, wanted), range(8)))
    assert len(numbers) == 1


def test_a_cancelled_run_that_is_taken_over_does_no_step_more(trial: Trial) -> None:
    number = trial.ask()
    assert trial.take(number, OTHER) is not None
    with trial.control.session() as session:
        runs.cancel(session, runs.get(session, number), trial.control.told("not today"))
    trial.later(seconds=OVER)
    with pytest.raises(Ended, match="not today"):
        starting.finish(trial.control, number)
    assert trial.did == []


def test_another_wish_about_the_same_waits_for_the_living_and_overtakes_the_dead(
    trial: Trial,
) -> None:
    first = WantedRun("trial", "trial:1", STEPS, {"state": "suspended"})
    second = WantedRun("trial", "trial:1", STEPS, {"state": "active"})
    number = starting.ask(trial.control, first)
    assert trial.take(number, OTHER) is not None
    with pytest.raises(PaquetError, match=f"Job {number} .* is about the same"):
        starting.ask(trial.control, second)
    trial.later(seconds=OVER)
    later = starting.ask(trial.control, second)
    assert later != number
    assert trial.state(number)[0] == "cancelled"


def test_a_run_whose_process_dies_again_and_again_is_given_up(trial: Trial) -> None:
    number = trial.ask()
    for pause in (0, *PAUSES):
        engines.lose(trial.control, trial.held(number), "its process ended by itself (-9)")
        assert trial.state(number)[0] == "waiting"
        trial.later(seconds=pause)
    engines.lose(trial.control, trial.held(number), "its process ended by itself (-9)")
    assert trial.state(number)[0] == "failed"
    assert trial.settled[-1] == ("failed", "its process ended by itself (-9)")


def test_who_asks_for_what_waits_in_its_pause_gets_it_now(trial: Trial) -> None:
    wanted = WantedRun("trial", "trial:1", STEPS)
    number = starting.ask(trial.control, wanted)
    trial.does["first"] = fail()
    with pytest.raises(StepFailed):
        engines.carry_out(trial.control, trial.held(number), patient=True)
    assert trial.take(number) is None, "it waits for its next try"
    del trial.does["first"]
    assert starting.see_through(trial.control, wanted).run_id == number


def test_who_waits_in_person_lifts_what_was_asked_for_the_night(trial: Trial) -> None:
    night = WantedRun("trial", "trial:1", STEPS, priority=runs.NIGHTLY)
    number = starting.ask(trial.control, night)
    starting.ask(trial.control, replace(night, priority=runs.PERSON_WAITS))
    with trial.control.reading() as session:
        assert runs.get(session, number).priority == runs.PERSON_WAITS


def test_an_old_run_is_not_retried_beside_a_newer_one_about_the_same(trial: Trial) -> None:
    old = trial.ask()
    trial.does["first"] = fail()
    with pytest.raises(StepFailed):
        starting.finish(trial.control, old)
    newer = trial.ask()
    with pytest.raises(PaquetError, match=f"Job {newer} .* is about the same"):
        starting.again(trial.control, old)


def test_a_step_that_this_release_does_not_know_is_told(trial: Trial) -> None:
    wanted = WantedRun("trial", "trial:1", ("first", "fourth"))
    with pytest.raises(StepFailed, match="knows no step 'fourth'"):
        starting.see_through(trial.control, wanted)


def test_who_follows_gets_the_exit_code_of_the_run(trial: Trial) -> None:
    def refuse() -> None:
        raise UnsafeChange("the server has seen a newer run", "Use --force.")

    trial.does["first"] = refuse
    number = starting.ask(trial.control, WantedRun("trial", "trial:1", ("first",)))
    with pytest.raises(UnsafeChange):
        starting.finish(trial.control, number)
    with pytest.raises(PaquetError) as followed:
        Follower(trial.control, number).to_its_end()
    assert followed.value.exit_code == UnsafeChange.exit_code
