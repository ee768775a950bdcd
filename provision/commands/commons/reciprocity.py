"""`paquet reciprocity`: what businesses give back to the commons that they live on, freely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision import money
from provision.commands.shared.changing import change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.moments import moment_of
from provision.commands.shared.narrowing import narrow_options
from provision.commands.shared.words import count_type, day_type, json_option, on_option, typed
from provision.days import ONE_DAY
from provision.errors import UsageRefused
from provision.money import euros
from provision.subscriptions.commons import contributions
from provision.subscriptions.commons import reciprocity as giving_back
from provision.subscriptions.offers.terms import Term
from provision.subscriptions.parties import organisations

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.narrowing import Narrow
    from provision.commands.shared.tables import Facts
    from provision.subscriptions.commons.models import ReciprocityContract


@click.group()
def reciprocity() -> None:
    """Say what a business means to give back, and compare it with what it gave."""


@dataclass(frozen=True)
class MeantToGive:
    """Which part of its revenue a business means to give back, from a day on."""

    giver: str
    receiver: str
    basis_points: int
    first_day: date
    minutes: str


@reciprocity.command()
@click.argument("giver")
@click.argument("receiver")
@click.option(
    "--basis-points", type=count_type, required=True, help="300 is 3 % of revenue; 0 ends it."
)
@click.option("--from", "first_day", type=day_type, required=True, help="Its first day.")
@click.option("--contract", "minutes", required=True, help="Where it is written.")
@typed(MeantToGive, "wanted")
@change_options
@pass_context
def add(context: Context, wanted: MeantToGive, how: How) -> None:
    """Write what GIVER means to give back to RECEIVER from a day on; nobody can claim it."""

    def work(session: Session) -> Facts:
        giver, receiver = (
            organisations.get(session, name) for name in (wanted.giver, wanted.receiver)
        )
        terms = (wanted.first_day, wanted.minutes)
        return _facts(giving_back.add(session, giver, receiver, wanted.basis_points, terms))

    change(context, work, how)


@reciprocity.command(name="list")
@narrow_options
@json_option
@pass_context
def list_all(context: Context, narrow: Narrow, *, as_json: bool) -> None:
    """Show all reciprocity contracts, the latest first."""
    with context.reading() as session:
        ids = narrow.seen(session)
        rows = [
            _facts(contract)
            for contract in giving_back.everyone(session)
            if ids & {contract.giver_id, contract.receiver_id}
        ]
    context.show(rows, as_json=as_json)


@dataclass(frozen=True)
class Compared:
    """Whose revenue and gifts are compared, and in which days."""

    giver: str
    receiver: str
    first_day: date
    last_day: date


@reciprocity.command()
@click.argument("giver")
@click.argument("receiver")
@click.option("--from", "first_day", type=day_type, required=True, help="The first day.")
@click.option("--to", "last_day", type=day_type, required=True, help="The last day.")
@typed(Compared, "wanted")
@json_option
@pass_context
def statement(context: Context, wanted: Compared, *, as_json: bool) -> None:
    """Show what GIVER sold, meant to give and gave to RECEIVER on some days."""
    first, last = wanted.first_day, wanted.last_day
    if last < first:
        raise UsageRefused("The last day is before the first", "Give --from and --to in order.")
    with context.reading() as session:
        giver, receiver = (
            organisations.get(session, name) for name in (wanted.giver, wanted.receiver)
        )
        statement = giving_back.statement(session, giver, receiver, Term(first, last + ONE_DAY))
    facts: Facts = {
        "giver": statement.giver,
        "receiver": statement.receiver,
        "from": first.isoformat(),
        "to": last.isoformat(),
        "basis_points": statement.basis_points,
        "revenue": euros(statement.revenue),
        "meant": euros(statement.meant),
        "given": euros(statement.given),
    }
    context.show(facts, as_json=as_json)


@dataclass(frozen=True)
class GivenBack:
    """What a business gave to an association, and when."""

    giver: str
    receiver: str
    amount: str
    on: date | None


@reciprocity.command()
@click.argument("giver")
@click.argument("receiver")
@click.argument("amount")
@on_option
@typed(GivenBack, "wanted")
@change_options
@pass_context
def give(context: Context, wanted: GivenBack, how: How) -> None:
    """Write that the business GIVER gave AMOUNT euros to the association RECEIVER."""
    moment = moment_of(context, wanted.on)

    def work(session: Session) -> Facts:
        giver, receiver = (
            organisations.get(session, name) for name in (wanted.giver, wanted.receiver)
        )
        given = money.parse(wanted.amount)
        contributions.give(session, giver, receiver, given.units, moment)
        day = moment.on.isoformat()
        return {"giver": giver.name, "receiver": receiver.name, "on": day, "given": given}

    change(context, work, how)


def _facts(contract: ReciprocityContract) -> Facts:
    return {
        "from": contract.valid_from.isoformat(),
        "giver": contract.giver.name,
        "receiver": contract.receiver.name,
        "basis_points": contract.basis_points,
        "contract": contract.minutes,
    }
