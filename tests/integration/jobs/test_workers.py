"""Workers as processes: they share what waits, are killed, stop in time, and lose nothing."""

from __future__ import annotations

import signal
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from provision.jobs import transport
from provision.jobs.worker import Worker
from provision.registry.runs import DueRun
from tests.integration.jobs.killing import fleet, killed_at_random

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from tests.integration.jobs.conftest import Trial

RUNS, SERVERS, WORKERS, KILLS = 4, 2, 2, 2
TAKEN_OVER = 60.0


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("engine")
def test_killed_workers_leave_no_run_behind_and_never_meet_on_a_server(
    database_url: str, tmp_path: Path
) -> None:
    with fleet(tmp_path, database_url, RUNS, SERVERS) as made:
        killed_at_random(made, WORKERS, KILLS, TAKEN_OVER)
        assert made.kills > 0
        assert made.noted("overlaps") == []
        assert made.steps() == {"done": 3 * RUNS}
        did = Counter(made.noted("done"))
    assert len(did) == 3 * RUNS
    assert sum(did.values()) <= 3 * RUNS + made.kills, "a step that is done is not done again"


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("engine")
def test_a_worker_that_is_told_to_stop_finishes_its_step_and_leaves_the_rest(
    database_url: str, tmp_path: Path
) -> None:
    with fleet(tmp_path, database_url, RUNS, SERVERS) as made:
        made.start()
        while not made.noted("done"):
            time.sleep(0.05)
        (worker,) = made.workers
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
        assert set(made.steps()) <= {"done", "waiting"}
        made.workers.clear()
        made.start()
        while made.left():
            time.sleep(0.1)
    assert Counter(made.noted("done")) == {
        f"{number} {step}": 1 for number in range(RUNS) for step in ("first", "second", "third")
    }


def test_a_worker_whose_release_was_replaced_takes_nothing_and_stops(
    trial: Trial, tmp_path: Path
) -> None:
    number = trial.ask()
    worker = Worker(trial.control, tmp_path / "paquet.toml", code="0.1.0+former")
    assert worker.carry(DueRun(number, "servers", 0)) == 0
    assert worker.stopping.is_set()
    assert trial.state(number)[0] == "waiting"


def test_a_word_that_is_said_twice_wakes_once(engine: Engine) -> None:
    if not transport.fits(engine):
        pytest.skip("SQLite has no transport: its worker looks by itself")
    for _ in range(2):
        transport.wake(engine, DueRun(7, "servers", 10))
    with engine.connect() as connection:
        jobs = connection.execute(
            text(f"SELECT args, priority FROM {transport.SCHEMA}.procrastinate_jobs")  # noqa: S608
        ).all()
    assert [tuple(job) for job in jobs] == [({"run": 7, "priority": 10}, 10)]
