"""`paquet subscription`: what is sold, who pays for it, and what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision import money
from provision.commands.sales import (
    contracts,
    plans,
    subscription_changes,
    subscription_ends,
    subscription_notices,
    subscription_openings,
)
from provision.commands.sales.plan import percent
from provision.commands.shared.words import worded
from provision.commands.shared.context import json_option, number_type, pass_context, show
from provision.subscriptions.selling import billing, charged, opening, renewals

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.commands.shared.context import Context
    from provision.subscriptions.selling.models import Subscription, SubscriptionVersion

TERMS_SHOWN, MOST_TERMS = 12, 120


@click.group()
def subscription() -> None:
    """Say what is sold and how it is shared, who subscribed, and what becomes of it."""


for command in (
    plans.plan_group,
    contracts.contract_group,
    subscription_openings.open_one,
    subscription_openings.identify,
    subscription_changes.change,
    subscription_changes.discount,
    subscription_changes.declare,
    subscription_ends.cancel,
    subscription_ends.keep,
    subscription_ends.withdraw,
    subscription_ends.credit,
    subscription_notices.notices,
):
    subscription.add_command(command)


@subscription.command(name="list")
@json_option
@pass_context
def list_all(context: Context, *, as_json: bool) -> None:
    """Show all subscriptions."""
    language = context.settings.operator.language
    with context.reading() as session:
        found = [_facts(session, one) for one in opening.everyone(session)]
    show([worded(facts, language, as_json=as_json) for facts in found], as_json=as_json)


@subscription.command(name="show")
@click.argument("who")
@json_option
@pass_context
def show_one(context: Context, who: str, *, as_json: bool) -> None:
    """Show the subscription number WHO, or those of the e-mail address WHO."""
    language = context.settings.operator.language
    with context.reading() as session:
        found = [
            {**_facts(session, one), **_pinned_facts(session, context, one)}
            for one in opening.find(session, who)
        ]
    rows = [worded(facts, language, as_json=as_json) for facts in found]
    if as_json:
        show(rows, as_json=True)
        return
    for row in rows:
        _print(row)


@subscription.command()
@click.argument("number", type=number_type)
@click.option("--count", type=click.IntRange(1, MOST_TERMS), default=TERMS_SHOWN, show_default=True)
@json_option
@pass_context
def terms(context: Context, number: int, count: int, *, as_json: bool) -> None:
    """Show what the next terms of subscription NUMBER will cost, as it is now."""
    language = context.settings.operator.language
    with context.reading() as session:
        one = opening.find(session, str(number))[0]
        found = billing.coming(session, one, count, context.control().today())
        session.rollback()
    rows = [
        {
            "from": term.days.starts.isoformat(),
            "until": term.days.until.isoformat(),
            "net": money.euros(term.net),
            "vat": money.euros(term.vat),
            "gross": money.euros(term.net + term.vat),
        }
        for term in found
    ]
    show([worded(row, language, as_json=as_json) for row in rows], as_json=as_json)
    if not as_json and not rows:
        click.echo("Nothing will be billed any more.")


def _facts(session: Session, one: Subscription) -> dict[str, object]:
    version = one.versions[-1]
    return {
        "subscription": one.id,
        "subscriber": one.subscriber.name,
        "email": one.subscriber.email,
        "plan": version.plan.code,
        "term": version.period,
        "price": opening.price_of(session, one, version.from_day),
        "seller": one.seller.name,
        "supporter": one.supporter.name,
        "first_day": one.first_day.isoformat(),
        "billed_to": one.billed_to.isoformat(),
        "state": one.state,
    }


def _pinned_facts(session: Session, context: Context, one: Subscription) -> dict[str, object]:
    version, today = one.versions[-1], context.control().today()
    return {
        "order": one.order_id,
        "last_day": one.last_day and one.last_day.isoformat(),
        "may_end_free_of_charge": renewals.unannounced(session, one, today),
        "version_from": version.from_day.isoformat(),
        "prices_of": version.priced_on.isoformat(),
        "users": version.users,
        "gib": version.gib,
        "contract_from": version.contract.valid_from.isoformat(),
        "mode": version.contract.mode,
        "versions": [_version_facts(each) for each in one.versions],
        "discounts": [
            {
                "from": each.first_day.isoformat(),
                "to": each.last_day and each.last_day.isoformat(),
                "percent": percent(each.basis_points),
                "reason": each.reason,
            }
            for each in charged.due_of(session, one).reductions
        ],
    }


def _version_facts(one: SubscriptionVersion) -> dict[str, object]:
    return {
        "from": one.from_day.isoformat(),
        "anchor": one.anchor_day.isoformat(),
        "plan": one.plan.code,
        "term": one.period,
        "prices_of": one.priced_on.isoformat(),
        "users": one.users,
        "gib": one.gib,
        "means": one.means,
    }


def _print(row: dict[str, object]) -> None:
    """Print what is one, then each list under its title."""
    lists = {name: value for name, value in row.items() if isinstance(value, list)}
    show({name: value for name, value in row.items() if name not in lists}, as_json=False)
    for name, rows in lists.items():
        if rows:
            click.echo(f"\n{name}:")
            show(rows, as_json=False)
