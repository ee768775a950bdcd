"""Subscriptions: opened with the price and the contract of their first day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision.errors import UsageRefused
from provision.registry.models import Subscriber
from provision.subscriptions import (
    contracts,
    ledger,
    openings,
    organisations,
    people,
    plans,
    splits,
)
from provision.subscriptions.columns import sensible_day
from provision.subscriptions.models import Subscription
from provision.subscriptions.openings import Opening, Parties

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.registry.models import Order
    from provision.subscriptions.models import Organisation, Plan, Price, SplitContract


@dataclass(frozen=True)
class Sale:
    """What a subscriber takes: a plan by the month or year, sold and supported by whom."""

    plan: Plan
    seller: Organisation
    supporter: Organisation
    period: str = plans.MONTHLY
    order_id: int | None = None


def open_subscription(
    session: Session, subscriber: Subscriber, sale: Sale, *, today: date
) -> Subscription:
    """Write the subscription that starts `today` and its opening entries.

    For an order that has its subscription already, that one is returned as it is.
    Raises UsageRefused when there is no price or no contract on that day.
    """
    there = of_order(session, sale.order_id)
    if there is not None:
        return there
    price, contract = terms_on(session, sale, today)
    made = Subscription(
        subscriber=subscriber,
        order_id=sale.order_id,
        price=price,
        contract=contract,
        first_day=today,
        state="active",
    )
    session.add(made)
    session.flush()
    _post_opening(session, made, today)
    return made


def withdraw(session: Session, subscription: Subscription, today: date) -> None:
    """End a subscription of which nothing was served: its opening entries are taken back."""
    contract, key = subscription.contract, openings.key(subscription.id)
    text = f"Abonnement {subscription.id}, commande annulée"
    for owner in (contract.seller_id, contract.supporter_id):
        written = ledger.find(session, owner, key)
        if written is not None:
            ledger.reverse(session, written, text=text, recorded_on=today)
    subscription.state = "ended"


def terms_on(session: Session, sale: Sale, day: date) -> tuple[Price, SplitContract]:
    """Return the price and the contract of `day`, or raise UsageRefused. Writes nothing."""
    sensible_day(day, "the first day of a subscription")
    price = plans.price_on(session, sale.plan, day, sale.period)
    return price, contracts.contract_on(session, sale.seller, sale.supporter, day)


def open_for_order(session: Session, order: Order, today: date) -> Subscription:
    """Write the subscription that `order` wished for; the same order again gets the same one."""
    sale = Sale(
        plan=plans.get(session, order.wish["plan"]),
        seller=organisations.get(session, order.wish["sold_by"]),
        supporter=organisations.get(session, order.wish["supported_by"]),
        order_id=order.id,
    )
    return open_subscription(session, order.subscriber, sale, today=today)


def of_order(session: Session, order_id: int | None) -> Subscription | None:
    """Return the subscription that an order opened, if any."""
    if order_id is None:
        return None
    return session.scalar(select(Subscription).where(Subscription.order_id == order_id))


def find(session: Session, wanted: str) -> list[Subscription]:
    """Return the subscription of this number, or those of this e-mail address."""
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) <= 9 else None  # noqa: PLR2004
    query = select(Subscription).join(Subscriber).order_by(Subscription.id)
    if number is None:
        query = query.where(func.lower(Subscriber.email) == wanted.strip().lower())
    else:
        query = query.where(Subscription.id == number)
    found = list(session.scalars(query))
    if not found:
        raise UsageRefused(
            f"There is no subscription of {wanted[:80]!r}", "See: paquet subscription list"
        )
    return found


def everyone(session: Session) -> list[Subscription]:
    """Return all subscriptions in the order they were opened."""
    return list(session.scalars(select(Subscription).order_by(Subscription.id)))


def _post_opening(session: Session, subscription: Subscription, today: date) -> None:
    price = plans.amount(subscription.price)
    contract = subscription.contract
    part = price - price
    if contract.mode != contracts.MECENAT:
        parts = splits.share(session, subscription, price, openings.key(subscription.id))
        part = parts[contract.supporter_id]
    opening = Opening(
        subscription_id=subscription.id,
        first_day=subscription.first_day,
        person=people.reference(session, subscription.subscriber_id),
        price=price,
        supporter_part=part,
    )
    parties = Parties(contract.seller_id, contract.supporter_id, contract.mode)
    for entry in openings.entries(opening, parties):
        ledger.post(session, entry, today)
