"""`paquet money allocate`: what the assembly decided of the result of a year."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import click

from provision import money
from provision.commands.shared.changing import change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import day_type
from provision.subscriptions.books import results
from provision.subscriptions.books.results import Decision
from provision.subscriptions.ledger import chart
from provision.subscriptions.parties import organisations

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import Facts, How
    from provision.commands.shared.context import Context

END_OF_YEAR = (12, 31)
PARTS = ("carried", "reserves", "legal", "dividends")


class YearType(click.ParamType[date]):
    """A year, whose last day is 31 December, or the last day of an exercise that ends otherwise."""

    name = "year"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        """Return the last day, or fail with one sentence."""
        typed = str(value)
        try:
            if typed.isascii() and typed.isdigit():
                return date(int(typed), *END_OF_YEAR)
            return date.fromisoformat(typed)
        except (ValueError, OverflowError):
            self.fail(f"{typed[:20]!r} is neither a year nor a day such as 2026-12-31.", param, ctx)


@click.command()
@click.argument("name")
@click.argument("year", type=YearType())
@click.option("--carried", default="0", help="Carried forward: 110, or 119 for a loss.")
@click.option("--reserves", default="0", help="To the reserves (1068); of a loss, from them.")
@click.option("--legal", default="0", help="To the legal reserve of a business (1061).")
@click.option("--dividends", default="0", help="To the partners of a business (457).")
@click.option("--on", type=day_type, required=True, help="The day of the assembly.")
@change_options
@pass_context
def allocate(context: Context, /, name: str, year: date, how: How, **words: object) -> None:
    """Enter what the assembly of NAME decided of the result of YEAR.

    YEAR is a year, or the last day of an exercise that ends otherwise. Its books are closed before.
    The amounts add up to the result, which stands on 120 or 129 until then.
    """
    on: datetime = words["on"]  # type: ignore[assignment]
    decision = Decision(on.date(), **_parts(words))
    today = context.control().today()

    def work(session: Session) -> Facts:
        owner = organisations.get(session, name)
        found, lines = results.allocate(session, owner, year, decision, today)
        return {
            "organisation": owner.name,
            "result_to": found.last_day.isoformat(),
            "result": money.euros(found.units),
            **{f"{one.account} {chart.label(one.account, 'fr')}": one.amount for one in lines},
        }

    change(context, work, how)


def _parts(words: Mapping[str, object]) -> dict[str, int]:
    return {name: money.parse(str(words[name])).units for name in PARTS}
