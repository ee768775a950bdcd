"""A run from its wish to its end, as the command that asked sees it: here, or by a worker."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from provision import database
from provision.errors import UsageRefused
from provision.jobs import engine, owners, transport
from provision.jobs.following import LOOK_SECONDS, Follower, last_line
from provision.jobs.heart import moment
from provision.registry import orders, runs
from provision.registry.runs import DONE, FAILED, HERE, RUNNING, WAITING, DueRun
from provision.workflows.onboard import Delivery

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.jobs.work import UnderWay
    from provision.registry.models import Run
    from provision.registry.runs import WantedRun
    from provision.workflows.control import Control


@dataclass(frozen=True)
class Finished:
    """A run that is done: what its steps brought; `work` where it was carried out here."""

    run_id: int
    facts: list[Any]
    work: UnderWay | None = None

    @property
    def fact(self) -> Any:  # noqa: ANN401 (what the kind of run says that it brings)
        """What the one step of a run brought."""
        return self.facts[0]


def see_through(control: Control, wanted: WantedRun) -> Finished:
    """Ask for a run, and see it to its end. Raises what it failed with."""
    return finish(control, ask(control, wanted))


def ask(control: Control, wanted: WantedRun) -> int:
    """Write down what is wanted, and return the number of the run; the same wish is one run."""
    owners.release_dead(control)

    def work(session: Session) -> int:
        told = replace(control.told(), at=moment(session, control))
        return runs.ask(session, wanted, told).id

    return database.retried(control.engine, work)


def finish(control: Control, run_id: int) -> Finished:
    """See a run to its end: carried out here, or followed where another owner has it.

    Raises what it failed with.
    """
    follower = Follower(control, run_id, last_line(control, run_id))
    if _left_to_workers(control, run_id):
        follower.to_its_end()
        return Finished(run_id, _facts(control, run_id))
    while True:
        owners.release_dead(control)
        held = engine.take(control, run_id, owners.this_process())
        if held is not None:
            work = engine.carry_out(control, held)
            return Finished(run_id, _facts(control, run_id), work)
        if follower.is_over():
            return Finished(run_id, _facts(control, run_id))
        time.sleep(LOOK_SECONDS)


def deliver(control: Control, number: int) -> Delivery:
    """See the order of this number to its delivery, and return what was delivered.

    Done twice, it does nothing twice: a delivered order is left as it is. Raises StepFailed with
    the step, the reason and how to go on.
    """
    with control.reading() as session:
        order = orders.get(session, number)
        run_id, bundle = orders.run_of(session, order).id, orders.load_bundle(order.bundle)
    again(control, run_id)
    finished = finish(control, run_id)
    return finished.work.about if finished.work else Delivery(control, number, bundle)


def again(control: Control, run_id: int) -> None:
    """Let a run be taken up again now: by a person's hand, whatever its pause."""

    def work(session: Session) -> None:
        run = runs.get(session, run_id)
        if run.state not in (RUNNING, DONE):
            runs.retry(session, run, moment(session, control))

    database.retried(control.engine, work)


def cancel(session: Session, control: Control, run_id: int, why: str) -> Run:
    """Have a run end, and return it. Raises UsageRefused for an order that nobody carries out."""
    run = runs.get(session, run_id)
    if run.kind == runs.ORDER and run.state in (WAITING, FAILED):
        number = run.asked["order"]
        raise UsageRefused(
            f"Job {run_id} delivers order {number}, which would wait for ever without it",
            f"Cancel the order: paquet order cancel {number}",
        )
    runs.cancel(session, run, control.told(why))
    return run


def _left_to_workers(control: Control, run_id: int) -> bool:
    """Tell whether workers carry a run out, and tell them of it; else its own process does.

    What makes files for who asked stays on this machine.
    """
    if control.settings.runs.carried_out_by != "workers":
        return False
    with control.reading() as session:
        run = runs.get(session, run_id)
    if run.queue == HERE:
        return False
    due = DueRun(run.id, run.queue, run.priority)
    if transport.fits(control.engine) and not transport.wake(control.engine, due):
        control.tell("workers could not be woken: they look by themselves, every few seconds")
    return True


def _facts(control: Control, run_id: int) -> list[Any]:
    with control.reading() as session:
        return [step.facts for step in runs.get(session, run_id).steps if step.facts is not None]
