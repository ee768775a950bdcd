"""`paquet reciprocity`: what businesses give back to the commons that they live on, freely."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision import money
from provision.commands.shared.words import day_type
from provision.commands.shared.changing import (
    change,
    change_options,
    day_of,
    narrow_options,
    on_option,
    seen,
    show_amounts,
)
from provision.commands.shared.context import count_type, json_option, pass_context
from provision.errors import UsageRefused
from provision.money import euros
from provision.subscriptions.commons import contributions
from provision.subscriptions.commons import reciprocity as giving_back
from provision.subscriptions.ledger.journal import Moment
from provision.subscriptions.offers.terms import Term
from provision.subscriptions.parties import organisations
from provision.subscriptions.selling.due import ONE_DAY

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import Facts, How, Narrow
    from provision.commands.shared.context import Context
    from provision.subscriptions.commons.models import ReciprocityContract


@click.group()
def reciprocity() -> None:
    """Say what a business means to give back, and compare it with what it gave."""


@reciprocity.command()
@click.argument("giver")
@click.argument("receiver")
@click.option(
    "--basis-points", type=count_type, required=True, help="300 is 3 % of revenue; 0 ends it."
)
@click.option("--from", "first_day", type=day_type, required=True, help="Its first day.")
@click.option("--contract", "minutes", required=True, help="Where it is written.")
@change_options
@pass_context
def add(context: Context, /, *, how: How, **words: object) -> None:
    """Write what GIVER means to give back to RECEIVER from a day on; nobody can claim it."""
    first_day: datetime = words["first_day"]  # type: ignore[assignment]

    def work(session: Session) -> Facts:
        pair = [organisations.get(session, str(words[one])) for one in ("giver", "receiver")]
        points = int(str(words["basis_points"]))
        terms = (first_day.date(), str(words["minutes"]))
        return _facts(giving_back.add(session, pair[0], pair[1], points, terms))

    change(context, work, how)


@reciprocity.command(name="list")
@narrow_options
@json_option
@pass_context
def list_all(context: Context, /, narrow: Narrow, *, as_json: bool) -> None:
    """Show all reciprocity contracts, the latest first."""
    with context.reading() as session:
        ids = seen(session, narrow)
        rows = [
            _facts(one)
            for one in giving_back.everyone(session)
            if ids & {one.giver_id, one.receiver_id}
        ]
    show_amounts(context, rows, as_json=as_json)


@reciprocity.command()
@click.argument("giver")
@click.argument("receiver")
@click.option("--from", "first_day", type=day_type, required=True, help="The first day.")
@click.option("--to", "last_day", type=day_type, required=True, help="The last day.")
@json_option
@pass_context
def statement(context: Context, /, *, as_json: bool, **words: object) -> None:
    """Show what GIVER sold, meant to give and gave to RECEIVER on some days."""
    first: datetime = words["first_day"]  # type: ignore[assignment]
    last: datetime = words["last_day"]  # type: ignore[assignment]
    if last < first:
        raise UsageRefused("The last day is before the first", "Give --from and --to in order.")
    with context.reading() as session:
        pair = [organisations.get(session, str(words[one])) for one in ("giver", "receiver")]
        days = Term(first.date(), last.date() + ONE_DAY)
        found = giving_back.statement(session, pair[0], pair[1], days)
    facts: Facts = {
        "giver": found.giver,
        "receiver": found.receiver,
        "from": first.date().isoformat(),
        "to": last.date().isoformat(),
        "basis_points": found.basis_points,
        "revenue": euros(found.revenue),
        "meant": euros(found.meant),
        "given": euros(found.given),
    }
    show_amounts(context, facts, as_json=as_json)


@reciprocity.command()
@click.argument("giver")
@click.argument("receiver")
@click.argument("amount")
@on_option
@change_options
@pass_context
def give(context: Context, /, *, on: datetime | None, how: How, **words: str) -> None:
    """Write that the business GIVER gave AMOUNT euros to the association RECEIVER."""
    today = context.control().today()
    moment = Moment(day_of(on, today), today)

    def work(session: Session) -> Facts:
        giver, receiver = (organisations.get(session, words[one]) for one in ("giver", "receiver"))
        given = money.parse(words["amount"])
        contributions.give(session, giver, receiver, given.units, moment)
        day = moment.on.isoformat()
        return {"giver": giver.name, "receiver": receiver.name, "on": day, "given": given}

    change(context, work, how)


def _facts(one: ReciprocityContract) -> Facts:
    return {
        "from": one.valid_from.isoformat(),
        "giver": one.giver.name,
        "receiver": one.receiver.name,
        "basis_points": one.basis_points,
        "contract": one.minutes,
    }
