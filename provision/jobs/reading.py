"""Runs as people read them: which there are, how far each is, what it told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.registry import runs
from provision.registry.models import Run, RunLine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provision.workflows.control import Control

MOST = 50
WAITS = (runs.WAITING,)
NOT_OVER = (runs.WAITING, runs.RUNNING, runs.FAILED)
EVERY = tuple(runs.RUN)


def listing(control: Control, states: Sequence[str], most: int = MOST) -> list[dict[str, object]]:
    """Return one row per run in one of `states`, the newest first."""
    wanted = select(Run).where(Run.state.in_(states)).order_by(Run.id.desc()).limit(most)
    with control.reading() as session:
        return [row(run) for run in session.scalars(wanted)]


def of_numbers(control: Control, numbers: Sequence[int]) -> list[dict[str, object]]:
    """Return one row for each of these runs."""
    with control.reading() as session:
        return [row(runs.get(session, number)) for number in numbers]


def story(control: Control, number: int) -> dict[str, object]:
    """Return a run, its steps and its lines, for a person or as JSON."""
    with control.reading() as session:
        run = runs.get(session, number)
        lines = select(RunLine).where(RunLine.run_id == run.id).order_by(RunLine.position)
        return {
            **row(run),
            "owner": run.owner,
            "release": run.code,
            "attempt": run.attempt,
            "message": run.message,
            "hint": run.hint,
            "steps": runs.told_steps(run),
            "lines": [
                {"at": f"{line.at:%Y-%m-%d %H:%M:%S}", "line": line.text}
                for line in session.scalars(lines)
            ],
        }


def row(run: Run) -> dict[str, object]:
    """Return what a list says of a run."""
    done = sum(step.state == runs.DONE for step in run.steps)
    return {
        "job": run.id,
        "what": run.kind,
        "about": run.subject,
        "state": run.state,
        "steps done": f"{done} of {len(run.steps)}",
        "server": run.server,
        "asked": f"{run.asked_at:%Y-%m-%d %H:%M}",
        "by": run.asked_by,
    }
