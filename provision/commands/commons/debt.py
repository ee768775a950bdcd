"""`paquet debt`: what a community promised those who built what it lives on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision import money
from provision.commands.shared.changing import (
    change,
    change_options,
    day_of,
    narrow_options,
    on_option,
    seen,
    show_amounts,
)
from provision.commands.shared.context import json_option, number_type, pass_context
from provision.money import euros
from provision.subscriptions.commons import debts
from provision.subscriptions.commons.debts import Promise
from provision.subscriptions.ledger.journal import Moment
from provision.subscriptions.parties import organisations, people

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import Facts, How, Narrow
    from provision.commands.shared.context import Context
    from provision.subscriptions.commons.models import PromisedDebt


@click.group()
def debt() -> None:
    """Write down contributive debts, and pay them, never above what is owed."""


@debt.command()
@click.argument("organisation")
@click.argument("amount")
@click.option("--to", "creditor", required=True, help="E-mail address, organisation or group.")
@click.option("--for", "purpose", required=True, help="What for.")
@click.option("--minutes", required=True, help="Where it was decided, for example AG 2026-03.")
@change_options
@pass_context
def record(context: Context, /, *, how: How, **words: str) -> None:
    """Write that ORGANISATION promised AMOUNT euros to somebody."""
    today = context.control().today()

    def work(session: Session) -> Facts:
        promise = Promise(
            people.party(session, words["creditor"]),
            words["purpose"],
            money.parse(words["amount"]).units,
            words["minutes"],
        )
        who = organisations.get(session, words["organisation"])
        return _facts(session, debts.record(session, who, promise, today))

    change(context, work, how)


@debt.command()
@click.argument("number", type=number_type)
@click.argument("amount")
@on_option
@change_options
@pass_context
def pay(context: Context, /, number: int, amount: str, on: datetime | None, how: How) -> None:
    """Write that AMOUNT euros of the debt NUMBER were paid."""
    today = context.control().today()
    moment = Moment(day_of(on, today), today)

    def work(session: Session) -> Facts:
        found = debts.get(session, number)
        debts.pay(session, found, money.parse(amount).units, moment)
        return _facts(session, found)

    change(context, work, how)


@debt.command(name="list")
@narrow_options
@json_option
@pass_context
def list_all(context: Context, /, narrow: Narrow, *, as_json: bool) -> None:
    """Show all contributive debts and what is left of them."""
    with context.reading() as session:
        ids = seen(session, narrow)
        rows = [
            _facts(session, one) for one in debts.everyone(session) if one.organisation_id in ids
        ]
    show_amounts(context, rows, as_json=as_json)


def _facts(session: Session, one: PromisedDebt) -> Facts:
    return {
        "debt": one.id,
        "organisation": one.organisation.name,
        "to": one.creditor,
        "for": one.purpose,
        "minutes": one.minutes,
        "promised": euros(one.units),
        "owed": euros(debts.owed(session, one)),
    }
