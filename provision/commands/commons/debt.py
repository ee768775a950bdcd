"""`paquet debt`: what a community promised those who built what it lives on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision import money
from provision.commands.shared.changing import change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.moments import moment_of
from provision.commands.shared.narrowing import narrow_options
from provision.commands.shared.words import json_option, number_type, on_option, typed
from provision.money import euros
from provision.subscriptions.commons import debts
from provision.subscriptions.commons.debts import Promise
from provision.subscriptions.parties import organisations, people

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.narrowing import Narrow
    from provision.commands.shared.tables import Facts
    from provision.subscriptions.commons.models import PromisedDebt


@click.group()
def debt() -> None:
    """Write down contributive debts, and pay them, never above what is owed."""


@dataclass(frozen=True)
class DebtPromised:
    """What was promised to whom, as it is typed."""

    organisation: str
    amount: str
    creditor: str
    purpose: str
    minutes: str


@debt.command()
@click.argument("organisation")
@click.argument("amount")
@click.option("--to", "creditor", required=True, help="A subscriber, organisation or group.")
@click.option("--for", "purpose", required=True, help="What for.")
@click.option("--minutes", required=True, help="Where it was decided, for example AG 2026-03.")
@typed(DebtPromised, "wanted")
@change_options
@pass_context
def record(context: Context, wanted: DebtPromised, how: How) -> None:
    """Write that ORGANISATION promised AMOUNT euros to somebody."""
    today = context.today

    def work(session: Session) -> Facts:
        promise = Promise(
            people.party(session, wanted.creditor),
            wanted.purpose,
            money.parse(wanted.amount).units,
            wanted.minutes,
        )
        who = organisations.get(session, wanted.organisation)
        return _facts(session, debts.record(session, who, promise, today))

    change(context, work, how)


@dataclass(frozen=True)
class DebtPaid:
    """How much of a debt was paid, and when."""

    number: int
    amount: str
    on: date | None


@debt.command()
@click.argument("number", type=number_type)
@click.argument("amount")
@on_option
@typed(DebtPaid, "wanted")
@change_options
@pass_context
def pay(context: Context, wanted: DebtPaid, how: How) -> None:
    """Write that AMOUNT euros of the debt NUMBER were paid."""
    moment = moment_of(context, wanted.on)

    def work(session: Session) -> Facts:
        debt = debts.get(session, wanted.number)
        debts.pay(session, debt, money.parse(wanted.amount).units, moment)
        return _facts(session, debt)

    change(context, work, how)


@debt.command(name="list")
@narrow_options
@json_option
@pass_context
def list_all(context: Context, narrow: Narrow, *, as_json: bool) -> None:
    """Show all contributive debts and what is left of them."""
    with context.reading() as session:
        ids = narrow.seen(session)
        rows = [
            _facts(session, debt) for debt in debts.everyone(session) if debt.organisation_id in ids
        ]
    context.show(rows, as_json=as_json)


def _facts(session: Session, debt: PromisedDebt) -> Facts:
    return {
        "debt": debt.id,
        "organisation": debt.organisation.name,
        "to": debt.creditor,
        "for": debt.purpose,
        "minutes": debt.minutes,
        "promised": euros(debt.units),
        "owed": euros(debts.owed(session, debt)),
    }
