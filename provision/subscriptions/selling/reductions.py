"""Discounts: a part of the price that is not asked for some time, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision import edges
from provision.days import sensible_day
from provision.errors import UsageRefused
from provision.subscriptions.offers.tariffs import WHOLE
from provision.subscriptions.selling.models import Discount
from provision.subscriptions.selling.opening import ENDED

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.subscriptions.selling.due import Reduction
    from provision.subscriptions.selling.models import Subscription


def add(session: Session, subscription: Subscription, wanted: Reduction) -> Discount:
    """Write a discount; several on one day add up, to the whole price at most.

    Raises UsageRefused when it begins in days that are billed: those are credited.
    """
    for day in (wanted.first_day, wanted.last_day or wanted.first_day):
        sensible_day(day, "a day of a discount")
    number = subscription.id
    if not 1 <= wanted.basis_points <= WHOLE:
        raise UsageRefused("A discount is above 0 and up to 100 percent", "Give it like 12.5.")
    if wanted.last_day is not None and wanted.last_day < wanted.first_day:
        raise UsageRefused(f"The discount would end before {wanted.first_day}", "Swap its days.")
    if subscription.state == ENDED:
        raise UsageRefused(f"Subscription {number} is ended", "Nothing is billed any more.")
    if wanted.first_day < subscription.billed_to:
        raise UsageRefused(
            f"Subscription {number} is billed up to {subscription.billed_to} already",
            "Begin on that day or later, or credit a part of the invoice.",
        )
    made = Discount(
        subscription_id=number,
        first_day=wanted.first_day,
        last_day=wanted.last_day,
        basis_points=wanted.basis_points,
        reason=edges.person_name(wanted.reason, "reason"),
    )
    session.add(made)
    session.flush()
    return made
