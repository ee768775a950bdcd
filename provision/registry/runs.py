"""A run: one long action, carried out by one owner at a time, step by step, whatever breaks.

The row is the truth. Who carries a run out keeps it by a lease, renewed by its heartbeat; every
word that an owner writes names its attempt, so that one from whom the run was taken writes no more.
Whether a server may be changed, that server decides itself (`servers.guard`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Text, case, cast, delete, exists, func, or_, select, update
from sqlalchemy.orm import aliased

from provision.errors import PaquetError
from provision.registry import states
from provision.registry.models import Run, RunLine, RunStep

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

    from provision.registry.states import Told

WAITING, RUNNING, DONE, FAILED, CANCELLED = "waiting", "running", "done", "failed", "cancelled"
OPEN = (WAITING, RUNNING)
RUN: Mapping[str, frozenset[str]] = {
    WAITING: frozenset({RUNNING, CANCELLED}),
    RUNNING: frozenset({RUNNING, WAITING, DONE, FAILED, CANCELLED}),
    FAILED: frozenset({WAITING, CANCELLED}),
    DONE: frozenset(),
    CANCELLED: frozenset({WAITING}),
}
PERSON_WAITS, NIGHTLY = 10, -10
HERE = "here"  # the queue of what makes files for who asked: no worker takes it
ORDER = "order"  # the kind of run that delivers one
# On SQLite all owners are processes of one machine, which knows who is dead: a lease passes late,
# so that nothing that keeps the file locked for long looks like a death.
LEASES = {"postgresql": timedelta(seconds=45), "sqlite": timedelta(minutes=10)}


class TakenOver(PaquetError):
    """Another owner carries the run out by now: nothing more may be written about it."""


@dataclass(frozen=True)
class WantedRun:
    """What is asked for: a kind of run, about what, its words, the names of its steps."""

    kind: str
    subject: str
    steps: Sequence[str]
    words: Mapping[str, object] = field(default_factory=dict)
    queue: str = "servers"
    server: str = ""
    priority: int = PERSON_WAITS
    subscriber_id: int | None = None


@dataclass(frozen=True)
class Owner:
    """Who carries a run out: in words for people, and the mark of its process (`jobs.owners`)."""

    words: str
    mark: str
    code: str


@dataclass(frozen=True)
class Held:
    """A run that is ours, as long as nobody has taken it over since."""

    run_id: int
    attempt: int


@dataclass(frozen=True)
class Takes:
    """Which runs an owner takes: of these queues, and of the kinds that its release knows."""

    queues: Collection[str]
    kinds: Collection[str]


class DueRun(NamedTuple):
    """A run that can be carried out: its number, its queue, and how it goes before others."""

    id: int
    queue: str
    priority: int


@dataclass(frozen=True)
class StepEnd:
    """How a step ended: `done` or `failed`, after how many milliseconds, and what it brought."""

    name: str
    state: str
    milliseconds: int
    message: str
    facts: object = None


def ask(session: Session, asked: WantedRun, told: Told) -> Run:
    """Write a run down, or return the same one that is not over yet.

    One about the same that asks for something else is ended where nobody carries it out: its wish
    is overtaken. Raises PaquetError where somebody does.
    """
    run = session.scalar(_open_about(asked))
    if run is not None and run.asked == dict(asked.words):
        run.priority = max(run.priority, asked.priority)
        if asked.priority >= PERSON_WAITS and run.state == WAITING:
            run.due_at, run.tries = told.at, 0  # whatever its pause: somebody waits
        return run
    if run is not None:
        _overtake(session, run, told)
    run = Run(
        kind=asked.kind,
        subject=asked.subject,
        subscriber_id=asked.subscriber_id,
        asked=dict(asked.words),
        asked_by=told.actor,
        asked_at=told.at,
        queue=asked.queue,
        server=asked.server,
        priority=asked.priority,
        due_at=told.at,
    )
    run.steps = [RunStep(position=place, name=name) for place, name in enumerate(asked.steps)]
    session.add(run)
    session.flush()
    return run


def _open_about(asked: WantedRun | Run) -> Select[Run]:
    """Select the run of the same kind and subject that is not over."""
    return select(Run).where(
        Run.kind == asked.kind, Run.subject == asked.subject, Run.state.in_(OPEN)
    )


def _overtake(session: Session, run: Run, told: Told) -> None:
    alive = select(Run.id).where(Run.id == run.id, Run.state == RUNNING, Run.lease_until >= told.at)
    if session.scalar(alive) is not None:
        raise not_over(run)
    end(session, run, CANCELLED, told.at, "overtaken by a later wish")
    session.flush()


def not_over(run: Run) -> PaquetError:
    """Return the refusal of what is asked while `run` is about the same."""
    by = f", by {run.owner}" if run.owner else ""
    return PaquetError(
        f"Job {run.id} ({run.kind}{by}) is about the same, and is not over",
        f"Follow it (paquet job follow {run.id}), then say it again if it is still meant.",
    )


def get(session: Session, run_id: int) -> Run:
    """Return the run, or raise PaquetError."""
    run = session.get(Run, run_id)
    if run is None:
        raise PaquetError(f"There is no job {run_id}", "See `paquet job list`.")
    return run


def left(run: Run) -> list[str]:
    """Return the names of the steps that are not done."""
    return [step.name for step in run.steps if step.state != DONE]


def untouched(run: Run) -> set[str]:
    """Return the names of the steps that no owner ever began."""
    return {step.name for step in run.steps if (step.state, step.milliseconds) == (WAITING, None)}


def told_steps(run: Run) -> list[dict[str, object]]:
    """Return one row per step: how far it is, its seconds, what it brought."""
    return [
        {
            "step": step.name,
            "state": step.state,
            "seconds": None if step.milliseconds is None else step.milliseconds / 1000,
            "message": step.message,
        }
        for step in run.steps
    ]


def claim(session: Session, run_id: int, owner: Owner, at: datetime) -> Run | None:
    """Make `owner` the one that carries a run out; None where it is over, early, or held.

    What a former owner left is taken over, with the next attempt.
    """
    ready = select(Run).where(Run.id == run_id, due(at)).with_for_update()
    run = session.scalar(ready)
    if run is None:
        return None
    run.state, run.attempt = RUNNING, run.attempt + 1
    run.owner, run.mark, run.lease_until = owner.words, owner.mark, at + lease(session)
    run.code, run.began_at = run.code or owner.code, run.began_at or at
    run.message, run.hint, run.exit_code, run.ended_at = "", "", 0, None
    for step in run.steps:
        if step.state in (RUNNING, FAILED):
            step.state, step.message = WAITING, ""
            step.milliseconds = step.milliseconds or 0  # it was begun
    session.flush()
    return run


def blocking(session: Session, run: Run, at: datetime) -> Run | None:
    """Return the run that holds the server of `run` now, or None."""
    other = aliased(Run)
    held = select(other).where(*_holds(other, run, at)).limit(1)
    return session.scalar(held) if run.server else None


def lease(session: Session) -> timedelta:
    """Return for how long an owner keeps a run without a word of it."""
    return LEASES[session.get_bind().dialect.name]


def owned(session: Session, held: Held) -> Run:
    """Return the run if this attempt still owns it. Raises TakenOver."""
    run = get(session, held.run_id)
    if run.attempt != held.attempt or run.state != RUNNING:
        raise TakenOver(
            f"Job {run.id} was taken over by another run",
            f"See how it goes on: paquet job show {run.id}",
        )
    return run


def keep_lines(session: Session, run_id: int, lines: Sequence[RunLine]) -> None:
    """Add lines after those that are there."""
    if not lines:
        return
    last = session.scalar(select(func.max(RunLine.position)).where(RunLine.run_id == run_id))
    after = 0 if last is None else last + 1
    session.add_all(
        RunLine(run_id=run_id, position=place, at=line.at, text=line.text)
        for place, line in enumerate(lines, after)
    )


def advance(session: Session, run: Run, ended: StepEnd | None, following: str | None) -> None:
    """Write how a step ended, and that the following one began; none of the others is read."""
    if ended is not None:
        _write_step(session, run, ended.name, asdict(ended))
    if following is not None:
        _write_step(session, run, following, {"state": RUNNING})


def _write_step(session: Session, run: Run, name: str, words: dict[str, object]) -> None:
    session.execute(
        update(RunStep)
        .where(RunStep.run_id == run.id, RunStep.name == name)
        .values(words)
        .execution_options(synchronize_session=False)
    )


def settle_steps(session: Session, run: Run, state: str) -> None:
    """Bring the step whose turn had come to `state`: nobody is in it any more."""
    session.execute(
        update(RunStep)
        .where(RunStep.run_id == run.id, RunStep.state == RUNNING)
        .values(state=state)
        .execution_options(synchronize_session=False)
    )


def end(session: Session, run: Run, state: str, at: datetime, message: str = "") -> None:
    """Let go of a run: done, failed or cancelled; or waiting, to be taken up again at `due_at`."""
    if state not in RUN[run.state]:
        raise PaquetError(f"Job {run.id} is {run.state} and cannot become {state}")
    run.state, run.message, run.lease_until, run.owner, run.mark = state, message, None, "", ""
    run.ended_at = None if state == WAITING else at
    if state != WAITING:
        run.ends_asked = ""
    settle_steps(session, run, WAITING)


def retry(session: Session, run: Run, at: datetime) -> None:
    """Let a run that failed or rests be taken up again now, with all its tries.

    Raises PaquetError beside another one about the same.
    """
    if (other := session.scalar(_open_about(run).where(Run.id != run.id))) is not None:
        raise not_over(other)
    if run.state != WAITING:
        end(session, run, WAITING, at)
    run.due_at, run.tries = at, 0


def days_over(session: Session, until: date) -> set[date]:
    """Return the days (UTC) up to `until` on which jobs ended that have something to forget."""
    told = exists().where(RunLine.run_id == Run.id)
    ended = select(Run.ended_at).where(
        Run.ended_at < of_day(until)[1], or_(Run.kind != ORDER, told)
    )
    return {day_of(at) for at in session.scalars(ended) if at is not None}


def forget(session: Session, day: date) -> None:
    """Delete the jobs that ended on a day, with all that they told; of orders the steps stay."""
    begins, ends = of_day(day)
    ended = select(Run.id).where(Run.ended_at >= begins, Run.ended_at < ends)
    others = ended.where(Run.kind != ORDER)
    session.execute(delete(RunLine).where(RunLine.run_id.in_(ended)))
    session.execute(delete(RunStep).where(RunStep.run_id.in_(others)))
    session.execute(delete(Run).where(Run.id.in_(others)))


def of_day(day: date) -> tuple[datetime, datetime]:
    """Return when a day begins in universal time, and when the next one does."""
    begins = datetime.combine(day, time(), UTC)
    return begins, begins + timedelta(days=1)


def day_of(at: datetime) -> date:
    """Return the day of a moment in universal time: SQLite gives it back without saying so."""
    return (at if at.tzinfo is None else at.astimezone(UTC)).date()


def due(at: datetime) -> ColumnElement[bool]:
    """Return the condition of runs that can be claimed: their time has come, their server is free.

    A run whose owner let its lease pass is among them.
    """
    other = aliased(Run)
    busy = exists().where(*_holds(other, Run, at))
    waits = (Run.state == WAITING) & (Run.due_at <= at)
    left_alone = (Run.state == RUNNING) & or_(Run.lease_until.is_(None), Run.lease_until < at)
    return or_(waits, left_alone) & or_(Run.server == "", ~busy)


def _holds(other: type[Run], run: Run | type[Run], at: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions under which `other` keeps the server of `run` from it."""
    return (
        other.server == run.server,
        other.state == RUNNING,
        other.id != run.id,
        other.lease_until >= at,
    )


def next_due(session: Session, at: datetime, takes: Takes, count: int) -> list[DueRun]:
    """Return the runs to carry out next, one of a server: who waits in person, then the oldest."""
    order = (Run.priority.desc(), Run.id)
    alone = case((Run.server == "", cast(Run.id, Text)), else_=Run.server)
    place = func.row_number().over(partition_by=alone, order_by=order).label("place")
    taken = select(Run.id, Run.queue, Run.priority, place).where(
        due(at), Run.queue.in_(takes.queues), Run.kind.in_(takes.kinds)
    )
    ready = taken.subquery()
    first = select(ready.c.id, ready.c.queue, ready.c.priority).where(ready.c.place == 1)
    ordered = first.order_by(ready.c.priority.desc(), ready.c.id)
    return [DueRun(*row) for row in session.execute(ordered.limit(count))]


def release_marked(session: Session, marks: Sequence[str], at: datetime) -> None:
    """Let the runs of these dead owners be taken over at once."""
    session.execute(
        update(Run)
        .where(Run.state == RUNNING, Run.mark.in_(marks))
        .values(lease_until=at - timedelta(seconds=1))
    )


def cancel(session: Session, run: Run, told: Told) -> None:
    """End a run: at once where nobody carries it out, else after the step that it is in."""
    if run.state == CANCELLED:
        return
    if run.state == RUNNING:
        run.ends_asked = told.why or CANCELLED
        states.record(session, f"job:{run.id}", "its end was asked for", told)
        return
    if CANCELLED not in RUN[run.state]:
        raise PaquetError(f"Job {run.id} is {run.state} and cannot be cancelled")
    end(session, run, CANCELLED, told.at, told.why)
    states.record(session, f"job:{run.id}", CANCELLED, told)
