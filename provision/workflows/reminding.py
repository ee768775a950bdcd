"""Whom a day reminds, and whose bundle it opens again: looked at, nothing is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.registry.models import Order
from provision.subscriptions.dunning import reminders
from provision.subscriptions.parties import organisations
from provision.subscriptions.selling.models import Subscription
from provision.workflows.capacity import LIVING

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.registry.models import Bundle
    from provision.subscriptions.dunning.policy import Policy
    from provision.subscriptions.dunning.reminders import Reminder, Settled
    from provision.workflows.control import Control


@dataclass(frozen=True)
class DayOfReminders:
    """What a day brings: reminders, held ones with them, and bundles that can open again.

    `before` are the invoices that reached their step earlier, and stay open.
    """

    reminders: tuple[Reminder, ...]
    reopened: tuple[tuple[Settled, str], ...]
    before: tuple[Reminder, ...] = ()


def due(control: Control, organisation: str, rules: Policy, on: date) -> DayOfReminders:
    """Return what `run` would do on a day; nothing is written."""
    with control.reading() as session:
        owner = organisations.get(session, organisation)
        reopened = [
            (settled, bundle.domain)
            for settled in reminders.settled(session, owner, on)
            if (bundle := paid_bundle(session, settled.subscription_id)) and bundle.state in LIVING
        ]
        overdue = reminders.overdue(session, owner, rules, on)
    return DayOfReminders(
        tuple(reminder for reminder in overdue if not reminder.before),
        tuple(reopened),
        tuple(reminder for reminder in overdue if reminder.before),
    )


def paid_bundle(session: Session, subscription_id: int | None) -> Bundle | None:
    """Return the bundle that a subscription pays for, if it was ordered."""
    subscription = session.get(Subscription, subscription_id) if subscription_id else None
    order = (
        session.get(Order, subscription.order_id)
        if subscription and subscription.order_id
        else None
    )
    return order.bundle if order else None
