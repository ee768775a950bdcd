"""Which open invoices reach which step today, which are held back and why, and what was done."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision.days import sensible_day
from provision.errors import UsageRefused
from provision.subscriptions.documents import deducting, open_items
from provision.subscriptions.documents.allocating import RECLAIM, RETURN
from provision.subscriptions.documents.drafts import CLAIMS, DEPOSIT
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.documents.models import Allocation, Invoice, same_document
from provision.subscriptions.dunning import pauses, policy
from provision.subscriptions.dunning.policy import Reached
from provision.subscriptions.parties import people
from provision.subscriptions.payments import answers
from provision.subscriptions.payments.models import DunningStep

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from typing import Any

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from provision.registry.states import Told
    from provision.subscriptions.documents.open_items import OpenItem
    from provision.subscriptions.dunning.policy import Policy
    from provision.subscriptions.parties.identities import Person
    from provision.subscriptions.parties.models import Organisation


DEPOSITED = "A deposit that was paid waits to be deducted, or to be credited"
NOBODY = "Nobody is known any more to whom it could be written"


@dataclass(frozen=True)
class Reminder:
    """An overdue invoice: the step that it reaches on or after `day`, or why it is `held` back.

    `person` is who the invoice names, None once erased; `then` is the step after it, and from when.
    `before` says that it reached the step earlier, and reaches no other now.
    """

    document: OpenItem
    person: Person | None
    step: str
    day: date
    held: str = ""
    then: tuple[str, date] | None = None
    before: bool = False


@dataclass(frozen=True)
class Settled:
    """A subscription that was suspended for invoices, all of which are settled now."""

    subscription_id: int
    numbers: tuple[Number, ...]


def overdue(
    session: Session, organisation: Organisation, rules: Policy, on: date
) -> list[Reminder]:
    """Return what is reached by `on`, or would be but for a reason, and what was reached before.

    The oldest comes first; nothing is written. What no step was reached for yet is not in it.
    """
    sensible_day(on, "the day of a reminder")
    held = _Held(session, organisation.id, on)
    reached, since = _reached(session, organisation.id), _came_back(session, organisation.id)
    reminders = []
    for document in open_items.everything(session, organisation.id):
        between_us = people.organisation_of(document.party) is not None  # settled, not reminded
        if document.kind not in CLAIMS or document.due_on >= on or between_us:
            continue
        person = document.person
        steps = rules.of(person.kind if person else "person").steps
        mark = held.marks.get(document.subscriber_id or 0)
        if mark == pauses.HARDSHIP or document.kind == DEPOSIT:  # nothing was served for that yet
            steps = tuple(step for step in steps if step[0] in policy.GENTLE)
        starts = max(document.due_on, since.get(document.number, document.due_on))
        standing = _standing(steps, starts, reached[document.number], on)
        if standing is not None:
            at, then, before = standing
            reason = held.why(document, mark, at.step) if person else NOBODY
            reminders.append(Reminder(document, person, at.step, at.on, reason, then, before))
    return reminders


def _standing(
    steps: Sequence[tuple[str, int]], starts: date, reached: Sequence[Reached], on: date
) -> tuple[Reached, tuple[str, date] | None, bool] | None:
    """Return the step that is reached by a day, what follows, and whether it was so before."""
    following = policy.following(steps, starts, reached)
    if following is not None and following[1] <= on:
        then = policy.following(steps, starts, [Reached(following[0], on)])
        return Reached(*following), then, False
    last = policy.last(starts, reached)
    return (last, following, True) if last else None


def due(session: Session, organisation: Organisation, rules: Policy, on: date) -> list[Reminder]:
    """Return what is reached by `on`, and what would be but for a reason; writes nothing."""
    return [
        reminder for reminder in overdue(session, organisation, rules, on) if not reminder.before
    ]


def reach(session: Session, reminder: Reminder, letter: str, on: date, told: Told) -> None:
    """Write that an invoice reached its step; `letter` is the SHA-256 of what was written."""
    _add(session, reminder.document.number, (reminder.step, letter), on, told)


def resumed(session: Session, settled: Settled, on: date, told: Told) -> None:
    """Write that the bundle that was suspended for these invoices is open again."""
    for number in settled.numbers:
        _add(session, number, (policy.RESUMED, ""), on, told)


def settled(session: Session, organisation: Organisation, on: date) -> list[Settled]:
    """Return the subscriptions that can be opened again: nothing they were suspended for is open.

    Invoices of other organisations count too: with two contracts, both must be paid.
    """
    suspended: dict[int, list[tuple[Number, bool]]] = defaultdict(list)
    for row in session.execute(_suspended_for()):
        number = Number(row.organisation_id, row.series, row.number)
        is_over = row.left == 0 and row.reached_on < on
        suspended[row.subscription_id].append((number, is_over))
    return [
        Settled(subscription_id, tuple(number for number, _is_over in invoices))
        for subscription_id, invoices in sorted(suspended.items())
        if all(is_over for _number, is_over in invoices)
        and any(number.organisation_id == organisation.id for number, _is_over in invoices)
    ]


def everything(session: Session, organisation_id: int) -> list[DunningStep]:
    """Return all steps of an organisation's invoices, the latest first."""
    return list(
        session.scalars(
            select(DunningStep)
            .where(DunningStep.organisation_id == organisation_id)
            .order_by(DunningStep.reached_on.desc(), DunningStep.series, DunningStep.number)
        )
    )


class _Held:
    """What keeps reminders back on a day, read once."""

    def __init__(self, session: Session, organisation_id: int, on: date) -> None:
        self.paused = pauses.paused(session, organisation_id, on)
        self.marks = pauses.marks(session, organisation_id)
        self.deposited = deducting.unspent(session, on)
        self.running = {
            Number(organisation_id, item.series, item.invoice)
            for items in answers.running(session, organisation_id).values()
            for item in items
        }

    def why(self, document: OpenItem, mark: str | None, step: str) -> str:
        """Return why a step is not taken for an invoice, or ''."""
        if document.number in self.running:
            return "It is being collected"
        reason = self.paused.get(document.subscriber_id or 0)
        if reason is not None:
            return f"Paused: {reason}"
        if mark == pauses.FRAUD:
            return "Marked as fraud: for a person to judge"
        if step in (policy.SUSPEND, policy.CLOSE) and document.subscription_id in self.deposited:
            return DEPOSITED
        return ""


def _reached(session: Session, organisation_id: int) -> Mapping[Number, list[Reached]]:
    reached: dict[Number, list[Reached]] = defaultdict(list)
    rows = session.scalars(
        select(DunningStep)
        .where(DunningStep.organisation_id == organisation_id)
        .order_by(DunningStep.position)
    )
    for row in rows:
        number = Number(organisation_id, row.series, row.number)
        reached[number].append(Reached(row.step, row.reached_on))
    return reached


def _came_back(session: Session, organisation_id: int) -> Mapping[Number, date]:
    """Return the last day on which a payment of each invoice came back."""
    rows = session.execute(
        select(
            Allocation.series, Allocation.number, func.max(Allocation.allocated_on).label("last")
        )
        .where(
            Allocation.organisation_id == organisation_id, Allocation.kind.in_((RETURN, RECLAIM))
        )
        .group_by(Allocation.series, Allocation.number)
    )
    return {Number(organisation_id, row.series, row.number): row.last for row in rows}


def _suspended_for() -> Select[Any]:
    """Return the question for the invoices whose last word is that the bundle was suspended."""
    last = (
        select(func.max(DunningStep.position))
        .where(same_document(DunningStep, Invoice))
        .correlate(Invoice)
        .scalar_subquery()
    )
    columns: list[Any] = [
        Invoice.organisation_id,
        Invoice.series,
        Invoice.number,
        Invoice.subscription_id,
        DunningStep.reached_on,
        open_items.left().label("left"),
    ]
    return (
        select(*columns)
        .join(DunningStep, same_document(DunningStep, Invoice))
        .where(
            DunningStep.position == last,
            DunningStep.step.in_((policy.SUSPEND, policy.CLOSE)),
            Invoice.subscription_id.is_not(None),
        )
        .order_by(Invoice.subscription_id, Invoice.number)
    )


def _add(session: Session, number: Number, what: tuple[str, str], on: date, told: Told) -> None:
    session.flush()
    last = session.scalar(
        select(DunningStep)
        .where(same_document(DunningStep, number))
        .order_by(DunningStep.position.desc())
        .limit(1)
    )
    if last is not None and last.reached_on >= on:
        raise UsageRefused(
            f"{number.shown} reached a step on {last.reached_on} already",
            "One step a day is enough.",
        )
    session.add(
        DunningStep(
            **number.columns,
            position=last.position + 1 if last else 1,
            step=what[0],
            reached_on=on,
            letter=what[1],
            actor=told.actor,
        )
    )
    session.flush()
