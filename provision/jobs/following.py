"""What a run tells while another process carries it out, line by line, until it is over."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision.errors import PaquetError
from provision.jobs.heart import moment
from provision.registry import runs
from provision.registry.models import RunLine
from provision.registry.runs import DONE, WAITING

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.registry.models import Run
    from provision.workflows.control import Control

LOOK_SECONDS, LONELY_SECONDS = 0.5, 20.0
FROM_THE_START = -1


@dataclass
class Follower:
    """Tells what a run does that another owner carries out, each line once."""

    control: Control
    run_id: int
    told: int = FROM_THE_START
    waits_for: str = ""
    since: float = field(default_factory=time.monotonic)

    def is_over(self) -> bool:
        """Tell what is new; return whether the run is done. Raises what it failed with."""
        with self.control.reading() as session:
            run = runs.get(session, self.run_id)
            for line in self._new_lines(session):
                self.control.tell(line.text)
            if run.state == WAITING:
                self._tell_wait(session, run)
        if run.state not in (*runs.OPEN, DONE):
            raise _as_failed(run)
        return run.state == DONE

    def to_its_end(self) -> None:
        """Tell all that is new until the run is done. Raises what it failed with."""
        while not self.is_over():
            time.sleep(LOOK_SECONDS)

    def _new_lines(self, session: Session) -> list[RunLine]:
        about = select(RunLine).where(RunLine.run_id == self.run_id, RunLine.position > self.told)
        lines = list(session.scalars(about.order_by(RunLine.position)))
        self.told = lines[-1].position if lines else self.told
        return lines

    def _tell_wait(self, session: Session, run: Run) -> None:
        """Say once what a run waits for."""
        other = runs.blocking(session, run, moment(session, self.control))
        said = ""
        if other is not None:
            said = f"waits for job {other.id} ({other.kind}), which has {run.server}: {other.owner}"
        elif run.message:
            said = f"it did not work ({run.message}), and is tried again by itself"
        elif time.monotonic() - self.since > LONELY_SECONDS:
            said = "nobody has taken it up yet: does a worker run? (paquet worker)"
        if said and said != self.waits_for:
            self.waits_for = said
            self.control.tell(said)


def _as_failed(run: Run) -> PaquetError:
    """Return what a run failed with, with the exit code that its own process would have had."""
    failed = PaquetError(run.message or f"Job {run.id} is {run.state}", run.hint)
    failed.exit_code = run.exit_code or failed.exit_code
    return failed


def last_line(control: Control, run_id: int) -> int:
    """Return the number of the last line that a run told so far, -1 for none."""
    with control.reading() as session:
        told = select(func.max(RunLine.position)).where(RunLine.run_id == run_id)
        last = session.scalar(told)
    return -1 if last is None else last
