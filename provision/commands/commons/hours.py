"""`paquet hours`: time that people give, in hours and never in euros."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision import money
from provision.commands.shared.changing import change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.moments import moment_of
from provision.commands.shared.narrowing import narrow_options
from provision.commands.shared.words import day_type, json_option, on_option, typed, who_type
from provision.money import HOUR, Amount, euros
from provision.subscriptions.commons import hours as time_given
from provision.subscriptions.commons.hours import HoursWorked
from provision.subscriptions.parties import organisations, people

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.narrowing import Narrow
    from provision.commands.shared.tables import Facts
    from provision.subscriptions.commons.models import TimeGiven
    from provision.subscriptions.parties.models import Organisation


@click.group()
def hours() -> None:
    """Write down the time that people give, and see what it is taken for."""


@dataclass(frozen=True)
class TypedHours:
    """How much time was given for what, by whom and when."""

    organisation: str
    time: str
    purpose: str
    giver: str | None
    on: date | None


@hours.command()
@click.argument("organisation")
@click.argument("time")
@click.option("--for", "purpose", required=True, help="What was done.")
@click.option("--by", "giver", type=who_type, help="The subscriber who gave it.")
@on_option
@typed(TypedHours, "wanted")
@change_options
@pass_context
def give(context: Context, wanted: TypedHours, how: How) -> None:
    """Write that TIME (such as 1:30) was given to ORGANISATION."""
    moment = moment_of(context, wanted.on)

    def work(session: Session) -> Facts:
        who = organisations.get(session, wanted.organisation)
        giver = ""
        if wanted.giver:
            giver = people.reference_named(session, wanted.giver)
        seconds = money.parse(wanted.time, HOUR).units
        given = time_given.give(session, who, HoursWorked(giver, seconds, wanted.purpose), moment)
        return _facts(session, who, given)

    change(context, work, how)


@hours.command(name="list")
@narrow_options
@json_option
@pass_context
def list_all(context: Context, narrow: Narrow, *, as_json: bool) -> None:
    """Show all time that was given; what it is taken for is said apart, and is in no books."""
    with context.reading() as session:
        ids = narrow.seen(session)
        rows = [
            _facts(session, who, gift)
            for who in organisations.everyone(session)
            if who.id in ids
            for gift in time_given.of(session, who)
        ]
    context.show(rows, as_json=as_json)


@dataclass(frozen=True)
class HourValued:
    """What an hour is taken for, from a day on."""

    organisation: str
    amount: str
    first_day: date


@hours.command()
@click.argument("organisation")
@click.argument("amount")
@click.option("--from", "first_day", type=day_type, required=True, help="Its first day.")
@typed(HourValued, "wanted")
@change_options
@pass_context
def value(context: Context, wanted: HourValued, how: How) -> None:
    """Write what ORGANISATION takes an hour for from a day on: 30 to 45 euros."""

    def work(session: Session) -> Facts:
        who = organisations.get(session, wanted.organisation)
        units = money.parse(wanted.amount).units
        hour_value = time_given.set_value(session, who, units, wanted.first_day)
        day = hour_value.valid_from.isoformat()
        return {"organisation": who.name, "from": day, "hour": euros(hour_value.units)}

    change(context, work, how)


def _facts(session: Session, who: Organisation, gift: TimeGiven) -> Facts:
    taken_for = time_given.value(session, gift)
    return {
        "on": gift.given_on.isoformat(),
        "organisation": who.name,
        "by": gift.giver,
        "for": gift.purpose,
        "time": Amount(HOUR, gift.seconds),
        "taken_for": None if taken_for is None else euros(taken_for),
    }
