"""`paquet subscription open|identify`: a subscriber without an order, and who somebody is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from sqlalchemy import select

from provision import edges
from provision.commands.shared.words import day_type
from provision.commands.shared.context import (
    again_option,
    dry_run_option,
    json_option,
    pass_context,
    yes_option,
)
from provision.commands.shared.customers import (
    ask_where_same,
    customer_options,
    identity_options,
    order_reference_option,
    said,
)
from provision.commands.shared.deciding import decide, tell
from provision.errors import UsageRefused
from provision.registry.models import Subscriber
from provision.subscriptions.offers import plans, tariffs
from provision.subscriptions.offers.catalogue import Catalogue
from provision.subscriptions.offers.planfile import MOST_GIB, MOST_USERS
from provision.subscriptions.offers.tariffs import Tariff
from provision.subscriptions.parties import identities, organisations
from provision.subscriptions.selling import changes, opening
from provision.subscriptions.selling.opening import Sale

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from provision.commands.shared.context import Context
    from provision.registry.states import Told


@click.command(name="open")
@click.argument("email")
@click.option("--plan", required=True, help="See: paquet subscription plans list.")
@click.option("--sold-by", required=True, help="The business that sells and invoices.")
@click.option("--supported-by", required=True, help="The association that supports.")
@click.option("--name", help="The name of a subscriber who is new.")
@click.option("--language", type=click.Choice(["fr", "en"]), help="Else the operator's.")
@click.option("--term", type=click.Choice(plans.PERIODS), default="monthly", show_default=True)
@click.option("--users", type=click.IntRange(1, MOST_USERS), help="Else as many as the plan has.")
@click.option("--gib", type=click.IntRange(1, MOST_GIB), help="Else as much room as the plan has.")
@click.option("--tier", default="", help="A price by means: see the plan's tiers.")
@click.option("--declare", "declared", multiple=True, metavar="NAME=EUROS")
@click.option("--amount", help="The price of a month, where it is free.")
@click.option("--from", "first_day", type=day_type, help="Its first day; else today.")
@customer_options
@again_option
@yes_option
@dry_run_option
@json_option
@pass_context
def open_one(context: Context, /, **words: object) -> None:
    """Open a subscription for EMAIL without an order, such as for what runs elsewhere.

    Where the same person has this plan since that day already, it is asked, also with --yes.
    """
    control = context.control()
    first_day: datetime | None = words["first_day"]  # type: ignore[assignment]
    day = first_day.date() if first_day else control.today()

    if not (words["again"] or words["dry_run"]):
        ask_where_same(context, edges.email(str(words["email"])), str(words["plan"]), day)

    def work(session: Session) -> dict[str, object]:
        subscriber = _subscriber(session, words, context, control.told())
        known = _identified(session, subscriber, words, control.today())
        return {**_opened(session, subscriber, words, day), "customer": known}

    found = decide(context, work, dry_run=bool(words["dry_run"]), yes=bool(words["yes"]))
    tell(context, found, as_json=bool(words["as_json"]))


@click.command()
@click.argument("email")
@click.option("--name", "invoice_name", help="As invoices name the subscriber.")
@click.option("--language", type=click.Choice(["fr", "en"]), help="Of documents and letters.")
@order_reference_option
@identity_options
@yes_option
@dry_run_option
@json_option
@pass_context
def identify(context: Context, /, **words: object) -> None:
    """Say who the subscriber EMAIL is on documents from now on; the old ones stay as they are.

    What is not given stays as it was; "" takes a number or a reference away.
    """
    today = context.control().today()

    def work(session: Session) -> dict[str, object]:
        subscriber = _known(session, str(words["email"]))
        if subscriber is None:
            raise UsageRefused(
                f"There is no subscriber {words['email']}", "See: paquet subscription list"
            )
        return {"email": subscriber.email, **_identified(session, subscriber, words, today)}

    found = decide(context, work, dry_run=bool(words["dry_run"]), yes=bool(words["yes"]))
    tell(context, found, as_json=bool(words["as_json"]))


def _opened(
    session: Session, subscriber: Subscriber, words: Mapping[str, object], day: date
) -> dict[str, object]:
    plan = plans.get(session, str(words["plan"]))
    declared: tuple[str, ...] = words["declared"]  # type: ignore[assignment]
    amount: str | None = words["amount"]  # type: ignore[assignment]
    sale = Sale(
        plan=plan,
        seller=organisations.get(session, str(words["sold_by"])),
        supporter=organisations.get(session, str(words["supported_by"])),
        period=str(words["term"]),
        users=words["users"],  # type: ignore[arg-type]
        gib=words["gib"],  # type: ignore[arg-type]
        means=tariffs.parse_means(
            Tariff.model_validate_json(plan.tariff), str(words["tier"]), declared, amount
        ),
    )
    made = opening.open_subscription(session, subscriber, sale, today=day)
    (version,) = made.versions
    wanted = opening.version_of(version).wanted(subscriber.language)
    changes.check_words(Catalogue(session), wanted)
    return {
        "subscription": made.id,
        "email": subscriber.email,
        "plan": plan.code,
        "term": version.period,
        "price": opening.price_of(session, made, day),
        "first_day": day.isoformat(),
        "first_term": version.anchor_day.isoformat(),
    }


def _subscriber(
    session: Session, words: Mapping[str, object], context: Context, told: Told
) -> Subscriber:
    email = edges.email(str(words["email"]))
    found = _known(session, email)
    if found is not None:
        return found
    if words["name"] is None:
        raise UsageRefused(f"{email} is new here", "Give the subscriber's name: --name")
    made = Subscriber(
        name=edges.person_name(str(words["name"])),
        email=email,
        language=str(words["language"] or context.settings.operator.language),
        created_at=told.at,
    )
    session.add(made)
    session.flush()
    return made


def _known(session: Session, email: str) -> Subscriber | None:
    return session.scalar(select(Subscriber).where(Subscriber.email == edges.email(email)))


def _identified(
    session: Session, subscriber: Subscriber, words: Mapping[str, object], today: date
) -> dict[str, object]:
    """Write down what the words say of the customer, and return what is known then."""
    known = identities.read(identities.ensure(session, subscriber, today))
    person = identities.changed(known, said(words))
    identities.write(session, subscriber, person, today)
    return person.model_dump(exclude={"email"})
