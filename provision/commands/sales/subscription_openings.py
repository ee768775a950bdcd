"""`paquet subscription open|identify`: a subscriber without an order, and who somebody is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision import edges
from provision.commands.shared.changing import change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.customers import (
    ask_where_same,
    customer_options,
    identity_options,
    order_reference_option,
)
from provision.commands.shared.words import (
    again_option,
    day_type,
    language_type,
    name_type,
    typed,
    who_type,
)
from provision.errors import UsageRefused
from provision.registry import subscribers
from provision.subscriptions.offers import plans, tariffs
from provision.subscriptions.offers.catalogue import Catalogue
from provision.subscriptions.offers.planfile import MOST_GIB, MOST_USERS
from provision.subscriptions.offers.tariffs import Tariff
from provision.subscriptions.parties import identities, organisations, people
from provision.subscriptions.selling import changes, opening
from provision.subscriptions.selling.opening import Sale

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.customers import Customer
    from provision.commands.shared.tables import Facts
    from provision.registry.models import Subscriber
    from provision.workflows.control import Control


@dataclass(frozen=True)
class NewSubscription:
    """Who subscribes to what, as it is typed."""

    who: str
    plan: str
    sold_by: str
    supported_by: str | None
    name: str | None
    language: str | None
    term: str
    users: int | None
    gib: int | None
    tier: str
    declared: tuple[str, ...]
    amount: str | None
    first_day: date | None
    again: bool


@click.command(name="open")
@click.argument("who", type=who_type)
@click.option("--plan", type=name_type, required=True, help="See: paquet plan list.")
@click.option("--sold-by", type=name_type, required=True, help="Who sells and invoices.")
@click.option(
    "--supported-by",
    type=name_type,
    help="The association that supports; left out, one sells alone.",
)
@click.option("--name", help="The name of a subscriber who is new.")
@click.option("--language", type=language_type, help="Else the operator's.")
@click.option("--term", type=click.Choice(plans.PERIODS), default="monthly", show_default=True)
@click.option("--users", type=click.IntRange(1, MOST_USERS), help="Else as many as the plan has.")
@click.option("--gib", type=click.IntRange(1, MOST_GIB), help="Else as much room as the plan has.")
@click.option("--tier", default="", help="A price by means: see the plan's tiers.")
@click.option("--declare", "declared", multiple=True, metavar="NAME=EUROS")
@click.option("--amount", help="The price of a month, where it is free.")
@click.option("--from", "first_day", type=day_type, help="Its first day; else today.")
@customer_options
@again_option
@typed(NewSubscription, "wanted")
@change_options
@pass_context
def open_one(context: Context, wanted: NewSubscription, customer: Customer, how: How) -> None:
    """Open a subscription for WHO without an order, such as for what runs elsewhere.

    Where the same person has this plan since that day already, it is asked, also with --yes.
    """
    control = context.control()
    day = wanted.first_day or control.today()
    if not (wanted.again or how.dry_run):
        ask_where_same(context, wanted.who, wanted.plan, day)

    def work(session: Session) -> Facts:
        subscriber = _subscriber(session, wanted, control)
        said = customer.said(wanted.language)
        known = _identified(session, subscriber, said, control.today())
        return {**_opened(session, subscriber, wanted, day), "customer": known}

    change(context, work, how)


@dataclass(frozen=True)
class Identified:
    """Which subscriber is meant, and the language of their documents."""

    who: str
    language: str | None


@click.command()
@click.argument("who", type=who_type)
@click.option("--name", "invoice_name", help="As invoices name the subscriber.")
@click.option("--language", type=language_type, help="Of documents and letters.")
@order_reference_option
@identity_options
@typed(Identified, "wanted")
@change_options
@pass_context
def identify(context: Context, wanted: Identified, customer: Customer, how: How) -> None:
    """Say who the subscriber WHO is on documents from now on; the old ones stay as they are.

    What is not given stays as it was; "" takes a number or a reference away.
    """

    def work(session: Session) -> Facts:
        subscriber = people.subscriber_named(session, wanted.who)
        said = customer.said(wanted.language)
        known = _identified(session, subscriber, said, context.today)
        return {"email": subscriber.email, **known}

    change(context, work, how)


def _opened(session: Session, subscriber: Subscriber, wanted: NewSubscription, day: date) -> Facts:
    plan = plans.get(session, wanted.plan)
    tariff = Tariff.model_validate_json(plan.tariff)
    sale = Sale(
        plan=plan,
        seller=organisations.get(session, wanted.sold_by),
        supporter=organisations.get(session, wanted.supported_by or wanted.sold_by),
        period=wanted.term,
        users=wanted.users,
        gib=wanted.gib,
        means=tariffs.parse_means(tariff, wanted.tier, wanted.declared, wanted.amount),
    )
    subscription = opening.open_subscription(session, subscriber, sale, today=day)
    (version,) = subscription.versions
    terms = opening.version_of(version).wanted(subscriber.language)
    changes.check_words(Catalogue(session), terms)
    return {
        "subscription": subscription.id,
        "email": subscriber.email,
        "plan": plan.code,
        "term": version.period,
        "price": opening.price_of(session, subscription, day),
        "first_day": day.isoformat(),
        "first_term": version.anchor_day.isoformat(),
    }


def _subscriber(session: Session, wanted: NewSubscription, control: Control) -> Subscriber:
    if people.is_number(wanted.who) or people.known(session, wanted.who):
        return people.subscriber_named(session, wanted.who)
    email = edges.email(wanted.who)
    if wanted.name is None:
        raise UsageRefused(f"{email} is new here", "Give the subscriber's name: --name")
    language = wanted.language or control.settings.operator.language
    return subscribers.add(session, wanted.name, email, language=language, told=control.told())


def _identified(session: Session, subscriber: Subscriber, said: Facts, today: date) -> Facts:
    """Write down what was said of the customer, and return what is known then."""
    person = identities.read(identities.learn(session, subscriber, said, today))
    return person.model_dump(exclude={"email"})
