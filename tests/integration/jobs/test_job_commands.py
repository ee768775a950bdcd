"""`paquet job` and `paquet init --worker`, as people call them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from provision.commands.begin.init import init
from provision.commands.clockwork.job import job
from provision.commands.shared.context import Context
from provision.errors import PaquetError, UsageRefused
from provision.jobs import starting
from provision.process.commands import run
from provision.registry import runs
from provision.registry.runs import WantedRun
from tests.integration.jobs.conftest import STEPS
from tests.integration.jobs.test_runs import fail
from tests.integration.subscriptions.commanding import ask, read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.jobs.conftest import Trial


@pytest.fixture
def context(trial: Trial, tmp_path: Path) -> Iterator[Context]:
    """The registry of the trial, as commands see it."""
    made = Context(tmp_path / "paquet.toml")
    url = trial.control.engine.url.render_as_string(hide_password=False)
    operator = '[operator]\nname = "Amis"\nzone = "paquet.test"\ncontact = "a@paquet.test"\n'
    made.config.write_text(f'{operator}[registry]\nurl = "{url}"\n', "utf-8")
    yield made
    made.engine.dispose()


def test_a_failed_job_is_listed_shown_and_gone_on_with(trial: Trial, context: Context) -> None:
    number = trial.ask()
    trial.does["second"] = fail()
    with pytest.raises(PaquetError):
        starting.finish(trial.control, number)
    (row,) = read(context, job, "list")
    assert (row["state"], row["steps done"]) == ("failed", "1 of 3")
    story = read(context, job, "show", str(number))
    assert [step["message"] for step in story["steps"]] == ["first ended", "the server is away", ""]
    assert story["hint"] == f"Mend it. Then go on: paquet job retry {number}"
    assert read(context, job, "retry", str(number), "--dry-run")["state"] == "failed"
    with pytest.raises(UsageRefused, match="Nobody is there to say yes"):
        ask(context, job, "retry", str(number))
    assert trial.did == ["first", "second"]
    del trial.does["second"]
    assert read(context, job, "retry", str(number), "--yes")["state"] == "done"
    assert read(context, job, "list") == []
    assert [row["job"] for row in read(context, job, "list", "--all")] == [number]


def test_following_tells_every_line_and_how_it_ended(trial: Trial, context: Context) -> None:
    number = starting.finish(trial.control, trial.ask()).run_id
    told = ask(context, job, "follow", str(number)).stderr
    assert [line.split("s  ", 1)[1] for line in told.splitlines()] == trial.lines
    trial.does["first"] = fail()
    failed = trial.ask()
    with pytest.raises(PaquetError):
        starting.finish(trial.control, failed)
    with pytest.raises(PaquetError, match="the server is away"):
        ask(context, job, "follow", str(failed))


def test_a_waiting_job_is_cancelled_with_its_reason(trial: Trial, context: Context) -> None:
    number = str(trial.ask())
    cancelled = read(context, job, "cancel", number, "--why", "asked twice", "--yes")
    assert cancelled["state"] == "cancelled"
    assert read(context, job, "show", number)["message"] == "asked twice"
    assert read(context, job, "retry", number, "--yes")["state"] == "done"


def test_an_order_that_waits_is_cancelled_itself(trial: Trial, context: Context) -> None:
    wanted = WantedRun(runs.ORDER, "order:7", STEPS, {"order": 7})
    with trial.control.session() as session:
        number = runs.ask(session, wanted, trial.control.told()).id
    with pytest.raises(PaquetError, match="delivers order 7") as refused:
        ask(context, job, "cancel", str(number), "--why", "no", "--yes")
    assert "paquet order cancel 7" in refused.value.hint
    assert trial.state(number)[0] == "waiting"


def test_the_units_that_init_writes_are_good_ones(context: Context, tmp_path: Path) -> None:
    planned = json.loads(ask(context, init, "--worker", "--dry-run", "--json").stdout)
    assert list(tmp_path.glob("*.service")) == []
    assert json.loads(ask(context, init, "--worker", "--yes", "--json").stdout) == planned
    units = sorted(tmp_path.glob("paquet-*.*"))
    assert [unit.suffix for unit in units] == [".service", ".timer", ".service"]
    assert str(context.config) in units[0].read_text("utf-8")
    verified = run(["systemd-analyze", "verify", *map(str, units)], check=False)
    assert not [line for line in verified.stderr.splitlines() if str(tmp_path) in line]
