"""Runs of a kind of their own: three steps that tests tell what to do."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import pytest

from provision.jobs import engine as engines
from provision.jobs import kinds, owners
from provision.jobs.work import RunKind, StepResult, UnderWay
from provision.registry import fences, runs
from provision.registry.runs import WantedRun
from provision.settings import Settings
from provision.workflows.control import Control

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from provision.registry.runs import Held, Owner

STEPS = ("first", "second", "third")


class Trial:
    """A kind of run whose steps do what a test says, and count how often they did it."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.lines: list[str] = []
        self.did: list[str] = []
        self.does: dict[str, Callable[[], object]] = {}
        self.settled: list[tuple[str, str]] = []
        self.now = datetime(2026, 11, 30, 12, tzinfo=UTC)
        self.control = Control(
            Settings(**settings(folder)),
            engine,
            "somebody",
            clock=lambda: self.now,
            tell=self.lines.append,
        )

    @contextmanager
    def begin(self, control: Control, _words: object) -> Iterator[UnderWay]:
        yield UnderWay({name: partial(self.do, name, control) for name in STEPS}, self)

    def do(self, name: str, control: Control) -> StepResult:
        self.did.append(name)
        control.tell(f"{name} is told")
        self.does.get(name, lambda: None)()
        return StepResult(f"{name} ended", {"step": name})

    def settle(self, *words: object) -> None:
        self.settled.append((str(words[3]), str(words[4])))

    def ask(self, subject: str = "trial:1", server: str = "", priority: int = 0) -> int:
        wanted = WantedRun("trial", subject, STEPS, server=server, priority=priority)
        with self.control.session() as session:
            return runs.ask(session, wanted, self.control.told()).id

    def take(self, run_id: int, owner: Owner | None = None) -> Held | None:
        return engines.take(self.control, run_id, owner or owners.this_process())

    def held(self, run_id: int) -> Held:
        held = self.take(run_id)
        assert held is not None
        return held

    def state(self, run_id: int) -> tuple[str, list[str]]:
        with self.control.reading() as session:
            run = runs.get(session, run_id)
            return run.state, [step.state for step in run.steps]

    def later(self, **words: float) -> None:
        self.now += timedelta(**words)


def settings(folder: Path) -> dict[str, Any]:
    return {
        "operator": {"name": "Les Amis", "zone": "paquet.test", "contact": "aide@paquet.test"},
        "inventory": folder / "inventory.yml",
        "key_file": folder / "paquet.key",
        "state": folder,
    }


@pytest.fixture
def trial(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trial:
    made = Trial(engine, tmp_path)
    kind = RunKind(made.begin, made.settle)
    monkeypatch.setitem(cast("dict[str, RunKind]", kinds.KINDS), "trial", kind)
    # Leases are counted by the trial's clock on both databases.
    for user in ("engine", "heart", "starting", "owners", "following"):
        name = f"provision.jobs.{user}.moment"
        monkeypatch.setattr(name, lambda _session, control: control.clock())
    with made.control.session() as session:
        fences.known_server(session, "bundles1")
    return made
