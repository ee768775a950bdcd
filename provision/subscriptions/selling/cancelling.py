"""End a subscription on a day, refund what lies beyond, and let it go on if minds change.

Sources: Code de la consommation, L215-1-1 (whoever subscribes online may cancel online: what was
asked and when is recorded and confirmed), L215-1 (a renewal that was not announced in time: free of
charge at any moment, what was paid for the days beyond is refunded within 30 days), L221-18
(withdrawal within 14 days).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision import edges
from provision.days import sensible_day
from provision.errors import UsageRefused
from provision.registry import states
from provision.registry.models import Event, Order
from provision.subscriptions.offers import terms
from provision.subscriptions.offers.terms import Term
from provision.subscriptions.parties import identities
from provision.subscriptions.selling import (
    adjusting,
    charges,
    credit_notes,
    deposits,
    opening,
    renewals,
)
from provision.subscriptions.selling.adjusting import Adjustment

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.registry.states import Told
    from provision.subscriptions.documents.issuing import Number
    from provision.subscriptions.selling.models import Subscription

WAYS = ("online", "letter", "e-mail", "counter")
DAYS_TO_WITHDRAW = 14
REASON = {"fr": "Résiliation au {day}", "en": "Cancelled on {day}"}
WITHDRAWN = {"fr": "Rétractation le {day}", "en": "Withdrawal on {day}"}


@dataclass(frozen=True)
class Cancellation:
    """What was asked: the last day, why, how (`WAYS`), on which day, and whether to refund."""

    last_day: date
    reason: str
    asked_on: date
    how: str = "online"
    refund: bool = False


def cancel(
    session: Session, subscription: Subscription, asked: Cancellation, *, on: date, told: Told
) -> list[Number]:
    """Let `asked.last_day` be the last one, and return the credit notes that refund what is beyond.

    Deposits that no invoice will deduct are refunded too.

    No notice has to be given. A consumer whose renewal was not announced in time is refunded
    whatever was asked. Billing bills no day beyond.
    """
    _check(subscription, asked, on)
    if subscription.last_day is not None:
        raise UsageRefused(
            f"Subscription {subscription.id} is cancelled already: its last day is "
            f"{subscription.last_day}",
            f"Let it go on first: paquet subscription keep {subscription.id}",
        )
    return _end(session, subscription, asked, on=on, told=told)


def bring_forward(
    session: Session, subscription: Subscription, asked: Cancellation, *, on: date, told: Told
) -> list[Number]:
    """Let a subscription that was cancelled for a later day end on `asked.last_day`, like `cancel`.

    Days that were given back when it was cancelled are not given back again.
    Raises UsageRefused unless it is cancelled, and for a later day.
    """
    _check(subscription, asked, on)
    if subscription.last_day is None or subscription.last_day <= asked.last_day:
        raise UsageRefused(
            f"Subscription {subscription.id} does not end after {asked.last_day}",
            "Give an earlier day.",
        )
    return _end(session, subscription, asked, on=on, told=told)


def keep(session: Session, subscription: Subscription, *, on: date, told: Told) -> list[Number]:
    """Let a cancelled subscription go on, and charge again what was refunded of billed days.

    Raises UsageRefused when the last day is over, or the bundle was closed.
    """
    last_day = subscription.last_day
    if subscription.state != opening.ACTIVE or last_day is None:
        raise UsageRefused(
            f"Subscription {subscription.id} is not cancelled", "It goes on as it is."
        )
    if last_day < on:
        raise UsageRefused(
            f"Subscription {subscription.id} ended on {last_day}",
            "Open a new one: paquet subscription open --help",
        )
    if _is_closed(session, subscription):
        raise UsageRefused(
            f"The bundle of subscription {subscription.id} is closed for good",
            "Order a new one: paquet order place --help",
        )
    subscription.last_day = None
    session.flush()
    _record(session, subscription, f"kept: it does not end on {last_day}", told)
    due = charges.due_of(session, subscription)
    adjustment = Adjustment(
        subscription=due,
        before=None,
        after=due,
        days=Term(last_day + timedelta(days=1), subscription.billed_to),
        key=_key(session, subscription, charges.KEEP),
        reason="",
    )
    return adjusting.adjust(session, adjustment, on)


def withdraw(session: Session, subscription: Subscription, *, on: date, told: Told) -> list[Number]:
    """End a consumer's subscription within 14 days of its beginning, and take every invoice back.

    Raises UsageRefused for a company, or when the time is over.
    """
    identity = identities.ensure(session, subscription.subscriber, on)
    if identities.read(identity).kind != "person":
        raise UsageRefused(
            "Only a consumer can withdraw", "Cancel it: paquet subscription cancel --help"
        )
    last = last_day_to_withdraw(subscription.first_day)
    if subscription.state == opening.ENDED or not subscription.first_day <= on <= last:
        raise UsageRefused(
            f"Subscription {subscription.id} could be withdrawn from until {last}",
            "Cancel it: paquet subscription cancel --help",
        )
    reason = adjusting.worded(WITHDRAWN, on, subscription.subscriber.language)
    numbers = credit_notes.credit_all(session, subscription, reason, on)
    opening.withdraw(session, subscription, on)
    _record(session, subscription, "withdrawn from (L221-18): all is refunded", told)
    return numbers


def give_up(session: Session, subscription: Subscription, *, on: date) -> list[Number]:
    """End a subscription that was never billed, and give back what was deposited for it."""
    numbers = deposits.refund(session, subscription, on)
    opening.withdraw(session, subscription, on)
    return numbers


def last_day_to_withdraw(concluded_on: date) -> date:
    """Return the last day of a consumer's right to withdraw.

    The day of the contract does not count; a last day that is a Saturday, a Sunday or a public
    holiday moves to the next working day (Code de la consommation, L221-19).
    """
    return terms.next_working_day(concluded_on + timedelta(days=DAYS_TO_WITHDRAW))


def _end(
    session: Session, subscription: Subscription, asked: Cancellation, *, on: date, told: Told
) -> list[Number]:
    free = renewals.unannounced(session, subscription, min(asked.last_day, on))
    words = [f"asked {asked.how} on {asked.asked_on}", f"confirmed on {on}"]
    words += [f"last day {asked.last_day}"]
    words += [f"instead of {subscription.last_day}"] if subscription.last_day else []
    words += ["free of charge: the renewal was not announced in time (L215-1)"] if free else []
    reason = edges.person_name(asked.reason, "reason")
    _record(session, subscription, f"cancelled: {', '.join(words)}", replace(told, why=reason))
    beyond = Term(asked.last_day + timedelta(days=1), subscription.billed_to)
    due = charges.due_of(session, subscription)
    subscription.last_day = asked.last_day
    session.flush()
    numbers: list[Number] = []
    if (asked.refund or free) and beyond.days > 0:
        adjustment = Adjustment(
            subscription=due,
            before=due,
            after=None,
            days=beyond,
            key=_key(session, subscription, charges.CANCEL),
            reason=adjusting.worded(REASON, asked.last_day, due.language),
        )
        numbers = adjusting.adjust(session, adjustment, on)
    if asked.last_day < subscription.billed_to:  # else the last invoice still deducts
        numbers += deposits.refund(session, subscription, on)
    return numbers


def _check(subscription: Subscription, asked: Cancellation, on: date) -> None:
    number = subscription.id
    sensible_day(asked.last_day, "the last day of a subscription")
    if asked.how not in WAYS:
        raise UsageRefused(f"{asked.how[:40]!r} is not a way to ask", f"Use {'|'.join(WAYS)}.")
    if asked.asked_on > on:
        raise UsageRefused(
            f"{asked.asked_on} is not here yet", "Give the day on which it was asked."
        )
    if subscription.state != opening.ACTIVE:
        raise UsageRefused(
            f"Subscription {number} is {subscription.state}", "Only an active one is cancelled."
        )
    if asked.last_day < subscription.first_day:
        raise UsageRefused(
            f"Subscription {number} began on {subscription.first_day}, after {asked.last_day}",
            "Give that day or a later one.",
        )


def _is_closed(session: Session, subscription: Subscription) -> bool:
    """Tell whether what it pays for was ended, which is for good."""
    order = session.get(Order, subscription.order_id) if subscription.order_id else None
    return order is not None and order.bundle.state in ("closed", "erased")


def _key(session: Session, subscription: Subscription, verb: str) -> str:
    """Return a key of this cancellation: there may be more than one, each with its events."""
    happened = select(func.count(Event.id)).where(Event.subject == subject(subscription))
    return f"{verb}:{subscription.id}:{session.scalar(happened)}"


def subject(subscription: Subscription) -> str:
    """Return the name under which events speak of a subscription."""
    return f"subscription:{subscription.id}"


def _record(session: Session, subscription: Subscription, what: str, told: Told) -> None:
    states.record(session, subject(subscription), what, told)
    session.flush()
