"""Carry one run out: step by step, each written down when it ends, until it is over."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from provision import database
from provision.errors import PaquetError, UnsafeChange, UsageRefused
from provision.jobs.code import stamp
from provision.jobs.heart import beating, moment
from provision.jobs.kinds import KINDS
from provision.registry import runs, states
from provision.registry.runs import (
    CANCELLED,
    DONE,
    FAILED,
    RUNNING,
    WAITING,
    Held,
    StepEnd,
    TakenOver,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy.orm import Session

    from provision.jobs.heart import Heart
    from provision.jobs.work import RunKind, StepResult, UnderWay
    from provision.registry.models import Run
    from provision.registry.runs import Owner
    from provision.workflows.control import Control

# After how long a worker takes a run up again that failed; a person decides after the last.
PAUSES = (30, 120, 600, 3_600, 14_400)
INTERRUPTED = "it was interrupted"


class StepFailed(PaquetError):
    """A step of a run failed; what was done stays, and the run can go on."""


class Ended(PaquetError):
    """Somebody asked for the end of a run: it stopped between two steps."""


def take(control: Control, run_id: int, owner: Owner) -> Held | None:
    """Make `owner` the one that carries a run out; None where that is not possible now."""

    def work(session: Session) -> Held | None:
        at = moment(session, control)
        run = runs.claim(session, run_id, owner, at)
        if run is None:
            return None
        _refuse_unknown(run.kind)
        kind = KINDS[run.kind]
        try:
            with session.begin_nested():
                kind.settle(session, control, run.asked, RUNNING, "")
        except PaquetError as refused:  # what it is about became something else meanwhile
            runs.end(session, run, FAILED, at, refused.message)
            run.hint = refused.hint
            return None
        runs.advance(session, run, None, next(iter(kind.left(runs.left(run))), None))
        return Held(run.id, run.attempt)

    return database.retried(control.engine, work)


def _refuse_unknown(kind: str) -> None:
    """Raise PaquetError for a kind of run that another release knows."""
    if kind not in KINDS:
        raise PaquetError(
            f"This release of paquet knows no jobs of the kind {kind!r}",
            "Another one asked for it: install that one here too.",
        )


def carry_out(control: Control, held: Held, *, patient: bool = False) -> UnderWay:
    """Do what is left of a run that is ours, and return its work.

    A worker is `patient`: it tries again by itself what failed. Where `control` stops, the run
    waits for another one.

    Raises what failed (as StepFailed where there are several steps), TakenOver, or Ended.
    """
    with control.reading() as session:
        run = runs.get(session, held.run_id)
        kind = KINDS[run.kind]
        not_done, count = kind.left(runs.left(run)), len(run.steps)
    with beating(control, held) as (heart, told):
        heart.ends = run.ends_asked
        if run.code != (ours := stamp()):
            told.tell(f"begun by {run.code}, it goes on by {ours}: what is done stays done")
        journey = _Journey(told, run, kind, heart, count, patient)
        try:
            with kind.begin(told, run.asked) as work:
                journey.go(work, not_done)
        except PaquetError as failed:
            if not journey.is_over:
                journey.fail(failed)
            raise
        except BaseException as broken:
            journey.break_off(broken)
            raise
    return work


def lose(control: Control, held: Held, why: str) -> None:
    """Let go of a run whose process ended without a word: again at once, then after pauses."""

    def work(session: Session) -> None:
        run = runs.get(session, held.run_id)
        if run.attempt != held.attempt or run.state != RUNNING:
            return
        pauses, at = (0, *PAUSES), moment(session, control)
        state = WAITING if run.tries < len(pauses) else FAILED
        runs.settle_steps(session, run, FAILED)
        runs.end(session, run, state, at, why)
        KINDS[run.kind].settle(session, control, run.asked, state, why)
        if state == WAITING:
            wait_again(run, at, pauses[run.tries])

    database.retried(control.engine, work)


def wait_again(run: Run, at: datetime, pause: int) -> None:
    """Let a run wait for its next try."""
    run.tries += 1
    run.due_at = at + timedelta(seconds=pause)


def _unknown(step: str) -> StepResult:
    raise PaquetError(
        f"This release of paquet knows no step {step!r} of this job",
        "Another one asked for it: install that one, or ask anew.",
    )


@dataclass
class _Journey:
    """One attempt at a run; `control` tells through its heart."""

    control: Control
    run: Run
    kind: RunKind
    heart: Heart
    count: int
    patient: bool
    failed: int = 0
    is_over: bool = False

    def go(self, work: UnderWay, names: list[str]) -> None:
        """Do the steps `names`, in turn."""
        for place, name in enumerate(names):
            self._pause_or_end()
            following = names[place + 1] if place + 1 < len(names) else None
            self._step(name, work.steps.get(name, partial(_unknown, name)), following)
        if self.failed:
            said = f"{self.failed} of {len(names)} were not done"
            raise self._failed(PaquetError(said, f"See which: paquet job show {self.run.id}."))
        self._write(partial(self._end, state=DONE, message=""))

    def _step(self, name: str, do: Callable[[], StepResult], following: str | None) -> None:
        if told := self.kind.told.get(name):
            self.control.tell(f"{name}: {told}")
        started = time.monotonic()
        try:
            brought = do()
        except PaquetError as failed:
            end = _ended(name, FAILED, started, failed.message)
            if not self.kind.each or self.count == 1:
                self._write(partial(self._advance, end=end, following=None))
                raise self._failed(failed, name) from failed
            self.failed += 1
        else:
            end = _ended(name, DONE, started, brought.message, brought.facts)
        if end.message and self.count > 1:
            self.control.tell(f"  {end.message}")
        self._write(partial(self._advance, end=end, following=following))

    def _pause_or_end(self) -> None:
        """Go on, unless the run was taken, cancelled, or its worker stops."""
        if self.heart.is_lost:
            self._write(lambda _session, _run: None)  # says who has it
        if self.heart.ends:
            self._write(partial(self._end, state=CANCELLED, message=self.heart.ends))
            raise Ended(f"Job {self.run.id} was cancelled: {self.heart.ends}")
        if self.control.stops():
            self._write(partial(self._end, state=WAITING, message="its worker stopped"))
            raise Ended(f"Job {self.run.id} waits: this worker stops")

    def fail(self, failed: PaquetError, shown: PaquetError | None = None) -> None:
        """Write that the run failed, as `shown`: a worker tries again later what may go by itself.

        Not what cannot be, nor what comes again by itself anyway.
        """
        told = shown or failed
        hopeless = self.kind.comes_again or isinstance(failed, UnsafeChange | UsageRefused)
        pause = PAUSES[self.run.tries] if self.run.tries < len(PAUSES) else None
        again = self.patient and not hopeless and pause is not None

        def work(session: Session, run: Run) -> None:
            self._end(session, run, WAITING if again else FAILED, told.message)
            run.hint, run.exit_code = told.hint, told.exit_code
            if again and pause is not None:
                wait_again(run, moment(session, self.control), pause)

        self._write(work)

    def break_off(self, broken: BaseException) -> None:
        """Write that the run broke: by a person's hand, or by a bug of ours."""
        why = f"this is a bug: {type(broken).__name__}"
        if isinstance(broken, KeyboardInterrupt | SystemExit):
            why = INTERRUPTED

        def work(session: Session, run: Run) -> None:
            runs.settle_steps(session, run, FAILED)
            self._end(session, run, FAILED, why)

        self._write(work)

    def _failed(self, failed: PaquetError, step: str = "") -> PaquetError:
        """Write the failure down, and return it as a person reads it."""
        go_on = self.kind.go_on.format(self.run.subject.partition(":")[2])
        go_on = go_on or f"paquet job retry {self.run.id}"
        message = f"Step {step} failed: {failed.message}" if step else failed.message
        shown = StepFailed(message, f"{failed.hint} Then go on: {go_on}".strip())
        self.fail(failed, failed if self.count == 1 else shown)
        return failed if self.count == 1 else shown

    def _advance(self, session: Session, run: Run, end: StepEnd, following: str | None) -> None:
        goes_on = not (self.heart.ends or self.control.stops())
        runs.advance(session, run, end, following if goes_on else None)
        if self.kind.leaves_events:
            told = self.control.told(end.message)
            states.record(session, run.subject, f"{end.name} {end.state}", told)

    def _end(self, session: Session, run: Run, state: str, message: str) -> None:
        runs.end(session, run, state, moment(session, self.control), message)
        self.kind.settle(session, self.control, run.asked, state, message)
        self.is_over = True

    def _write(self, work: Callable[[Session, Run], None]) -> None:
        """Write about the run. Raises TakenOver, after which nothing is ours to write any more."""
        try:
            self.heart.write(work)
        except TakenOver:
            self.is_over = True
            raise


def _ended(name: str, state: str, started: float, message: str, facts: object = None) -> StepEnd:
    return StepEnd(name, state, round((time.monotonic() - started) * 1000), message, facts)
