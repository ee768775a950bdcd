"""A run whose process is killed goes on at once elsewhere on this machine: real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from provision.jobs import engine, owners, starting
from provision.jobs.engine import PAUSES
from provision.registry.runs import Owner

if TYPE_CHECKING:
    from tests.integration.jobs.conftest import Trial

SLEEP = "import time; print('up', flush=True); time.sleep(60)"


def test_what_a_dead_process_left_is_taken_over_at_once(trial: Trial) -> None:
    number = trial.ask()
    with subprocess.Popen([sys.executable, "-c", SLEEP], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        mark = owners.mark_of(other.pid)
        assert trial.take(number, Owner("another", mark, "")) is not None
        owners.release_dead(trial.control)
        assert trial.take(number) is None, "it is alive"
        os.kill(other.pid, signal.SIGKILL)
        while not owners.is_dead(mark):
            time.sleep(0.01)
        starting.finish(trial.control, number)
    assert trial.state(number) == ("done", ["done"] * 3)


def test_a_number_that_another_process_has_since_is_no_sign_of_life() -> None:
    mark = owners.mark_of(os.getpid())
    head, _, started = mark.rpartition(" ")
    assert not owners.is_dead(mark)
    assert owners.is_dead(f"{head} {int(started) - 1}")


def test_of_another_machine_nobody_here_knows_who_is_dead() -> None:
    machine, _, rest = owners.mark_of(os.getpid()).partition(" ")
    boot, _, process = rest.partition(" ")
    assert not owners.is_dead(f"{machine[::-1]} {rest}")
    assert not owners.is_dead(f"{machine} {boot} pid:[1] 999999 1")
    assert owners.is_dead(f"{machine} {boot[::-1]} {process}"), "it was restarted since"
    assert not owners.is_dead("")


def test_a_person_who_retries_what_rests_gives_it_all_its_tries_again(trial: Trial) -> None:
    number = trial.ask()
    for _ in (0, *PAUSES):
        engine.lose(trial.control, trial.held(number), "its process ended by itself (-9)")
        starting.again(trial.control, number)
    engine.lose(trial.control, trial.held(number), "its process ended by itself (-9)")
    assert trial.state(number)[0] == "waiting"
