"""Subscriptions: opened with the prices and the contract of their first day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision import money
from provision.days import sensible_day
from provision.errors import UsageRefused
from provision.registry import subscribers
from provision.subscriptions.documents import union_consumers
from provision.subscriptions.offers import contracts, plans, tariffs, terms
from provision.subscriptions.offers.catalogue import Catalogue
from provision.subscriptions.offers.tariffs import Means, Tariff
from provision.subscriptions.parties import identities, organisations, people
from provision.subscriptions.selling.due import Version
from provision.subscriptions.selling.models import Subscription, SubscriptionVersion

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Amount
    from provision.registry.models import Order, Subscriber
    from provision.subscriptions.offers.models import Plan, SplitContract
    from provision.subscriptions.parties.models import Organisation

WAITING, ACTIVE, ENDED = "waiting", "active", "ended"


@dataclass(frozen=True)
class Sale:
    """What a subscriber takes: a plan by the month or year, sold and supported by whom.

    Who sells alone is its own supporter.
    `users` and `gib` count for prices per user and per GiB; else what the plan has. Who had a plan
    before, elsewhere, has had its trial.
    """

    plan: Plan
    seller: Organisation
    supporter: Organisation
    period: str = terms.MONTHLY
    order_id: int | None = None
    users: int | None = None
    gib: int | None = None
    means: Means = field(default_factory=Means)
    trial: bool = True


def open_subscription(
    session: Session, subscriber: Subscriber, sale: Sale, *, today: date
) -> Subscription:
    """Write the subscription that starts `today`; billing finds it when its first term begins.

    For an order that has its subscription already, that one is returned as it is; one of an order
    waits until it is delivered. Raises UsageRefused when there is no price or no contract on that
    day.
    """
    there = of_order(session, sale.order_id)
    if there is not None:
        return there
    contract = terms_on(session, sale, today)
    subscription = new(subscriber, sale, contract, today)
    session.add(subscription)
    people.reference(session, subscriber.id)
    buyer = identities.read(identities.ensure(session, subscriber, today))
    session.flush()
    union_consumers.check_sale(session, contract.id, buyer, today)
    return subscription


def new(subscriber: Subscriber, sale: Sale, contract: SplitContract, today: date) -> Subscription:
    """Return the row of a subscription that starts `today`, under its contract of that day.

    The caller has asked `terms_on` and `union_consumers`, and adds it.
    """
    anchor = today + timedelta(days=sale.plan.trial_days if sale.trial else 0)
    return Subscription(
        subscriber=subscriber,
        order_id=sale.order_id,
        seller_id=sale.seller.id,
        supporter_id=sale.supporter.id,
        first_day=today,
        state=ACTIVE if sale.order_id is None else WAITING,
        billed_to=anchor,
        versions=[_first_version(sale, contract, today, anchor)],
    )


def same_of(session: Session, who: str, plan: str, day: date) -> Subscription | None:
    """Return what the person of this e-mail address or number has of a plan since a day, if any.

    What is over by then, such as of an order that was cancelled, is not meant.
    """
    subscriber = people.known(session, who)
    if subscriber is None:
        return None
    begun = select(SubscriptionVersion.subscription_id).where(
        SubscriptionVersion.version == 1, SubscriptionVersion.plan.has(code=plan)
    )
    return session.scalar(
        select(Subscription)
        .where(
            Subscription.subscriber_id == subscriber.id,
            Subscription.first_day == day,
            Subscription.state != ENDED,
            Subscription.id.in_(begun),
        )
        .order_by(Subscription.id)
    )


def begin(session: Session, subscription: Subscription, today: date) -> None:
    """Let a subscription run from `today`: its bundle was delivered, its terms count from here."""
    if subscription.state != WAITING:
        return
    subscription.state = ACTIVE
    first = subscription.versions[-1]
    if first.from_day == today:
        return
    anchor = today + timedelta(days=first.plan.trial_days)
    subscription.billed_to = anchor
    subscription.versions.append(
        next_version(subscription, today, today, {"from_day": today, "anchor_day": anchor})
    )
    session.flush()


def next_version(
    subscription: Subscription, from_day: date, today: date, changed: Mapping[str, object]
) -> SubscriptionVersion:
    """Return the version that follows: as it was, but for what `changed` says."""
    last = subscription.versions[-1]
    kept = version_of(last)._asdict() | {"subscription_id": last.subscription_id}
    return SubscriptionVersion(
        **{**kept, "from_day": from_day, "recorded_on": today, **changed},
        version=last.version + 1,
    )


def withdraw(session: Session, subscription: Subscription, today: date) -> None:
    """End a subscription of which nothing was served nor billed."""
    subscription.state, subscription.last_day = ENDED, today
    session.flush()


def terms_on(session: Session, sale: Sale, day: date) -> SplitContract:
    """Return the contract of `day`, or raise UsageRefused: also without a price. Writes nothing."""
    sensible_day(day, "the first day of a subscription")
    plans.prices_on(session, sale.plan, day, sale.period)
    tariff = Tariff.model_validate_json(sale.plan.tariff)
    tariffs.points(tariff, sale.means)
    tariffs.chosen(tariff, sale.means)
    return contracts.contract_on(session, sale.seller, sale.supporter, day)


def price_of(session: Session, subscription: Subscription, day: date) -> Amount:
    """Return what a whole term costs with the words of `day`, in the plan's basis."""
    version = version_of(version_on(subscription, day))
    wanted = version.wanted(subscription.subscriber.language)
    return money.euros(sum(item.units for item in Catalogue(session).items(wanted)))


def version_of(row: SubscriptionVersion) -> Version:
    """Return a row as the pure billing needs it."""
    return Version(**{name: getattr(row, name) for name in Version._fields})


def version_on(subscription: Subscription, day: date) -> SubscriptionVersion:
    """Return the words in force on `day`: the newest of those that have begun."""
    begun = [version for version in subscription.versions if version.from_day <= day]
    return begun[-1] if begun else subscription.versions[0]


def open_for_order(session: Session, order: Order, today: date) -> Subscription:
    """Write the subscription that `order` wished for; the same order again gets the same one."""
    sale = Sale(
        plan=plans.get(session, order.wish["plan"]),
        seller=organisations.get(session, order.wish["sold_by"]),
        supporter=organisations.get(session, order.wish["supported_by"]),
        order_id=order.id,
    )
    return open_subscription(session, order.subscriber, sale, today=today)


def contract_on(subscription: Subscription, day: date) -> SplitContract:
    """Return the contract under which it is sold on `day`: not always that of its opening."""
    return version_on(subscription, day).contract


def of_order(session: Session, order_id: int | None) -> Subscription | None:
    """Return the subscription that an order opened, if any."""
    if order_id is None:
        return None
    return session.scalar(select(Subscription).where(Subscription.order_id == order_id))


def find(session: Session, wanted: str) -> list[Subscription]:
    """Return the subscription of this number, or those of this e-mail address."""
    if people.is_number(wanted):
        subscription = session.get(Subscription, int(wanted))
        subscriptions = [subscription] if subscription else []
    else:
        subscriptions = _of(session, subscribers.of_email(session, wanted))
    if not subscriptions:
        raise UsageRefused(
            "There is no subscription of this number or e-mail address",
            "See: paquet subscription list",
        )
    return subscriptions


def _of(session: Session, subscriber: Subscriber | None) -> list[Subscription]:
    if subscriber is None:
        return []
    theirs = select(Subscription).where(Subscription.subscriber_id == subscriber.id)
    return list(session.scalars(theirs.order_by(Subscription.id)))


def get(session: Session, number: int) -> Subscription:
    """Return the subscription of this number, or raise UsageRefused."""
    subscription = session.get(Subscription, number)
    if subscription is None:
        raise UsageRefused(f"There is no subscription {number}", "See: paquet subscription list")
    return subscription


def everyone(session: Session) -> list[Subscription]:
    """Return all subscriptions in the order they were opened."""
    return list(session.scalars(select(Subscription).order_by(Subscription.id)))


def _first_version(
    sale: Sale, contract: SplitContract, today: date, anchor: date
) -> SubscriptionVersion:
    return SubscriptionVersion(
        version=1,
        from_day=today,
        anchor_day=anchor,
        recorded_on=today,
        plan_id=sale.plan.id,
        period=sale.period,
        priced_on=today,
        contract_id=contract.id,
        users=sale.plan.users if sale.users is None else sale.users,
        gib=sale.plan.quota_gib if sale.gib is None else sale.gib,
        means=sale.means.model_dump_json(exclude_defaults=True),
    )
