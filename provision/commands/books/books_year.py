"""`paquet books cut-off|close|allocate`: a year ends, and its result is decided upon."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import click

from provision import money
from provision.commands.shared.changing import change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import day_type, typed
from provision.subscriptions.books import cutoffs, results
from provision.subscriptions.books.results import Decision
from provision.subscriptions.ledger import chart, closings
from provision.subscriptions.parties import organisations

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts

END_OF_YEAR = (12, 31)


class YearType(click.ParamType[date]):
    """A year, whose last day is 31 December, or the last day of an exercise that ends otherwise."""

    name = "year"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        """Return the last day, or fail with one sentence."""
        said = str(value)
        try:
            if said.isascii() and said.isdigit():
                return date(int(said), *END_OF_YEAR)
            return date.fromisoformat(said)
        except (ValueError, OverflowError):
            self.fail(f"{said[:20]!r} is neither a year nor a day such as 2026-12-31.", param, ctx)


@click.command(name="cut-off")
@click.argument("name")
@click.option("--on", type=day_type, required=True, help="The last day of the year.")
@change_options
@pass_context
def cut_off(context: Context, *, name: str, on: date, how: How) -> None:
    """Put off what NAME invoiced, or bought, for days after the year (487, 486).

    The next day takes it back. Do it before the books are closed. Done again, it enters what
    differs by then: `entered_sold` and `entered_bought`.
    """
    today = context.today

    def work(session: Session) -> Facts:
        owner = organisations.get(session, name)
        cut_off = cutoffs.find(session, owner, on)
        entered = cutoffs.post(session, owner, on, today)
        return {
            "sold": money.euros(cut_off.sold),
            "bought": money.euros(cut_off.bought),
            "entered_sold": money.euros(entered.sold),
            "entered_bought": money.euros(entered.bought),
        }

    change(context, work, how, question="Enter it?")


@click.command()
@click.argument("name")
@click.option("--to", "last_day", type=day_type, required=True, help="The last day that closes.")
@change_options
@pass_context
def close(context: Context, *, name: str, last_day: date, how: How) -> None:
    """Close the books of NAME up to a day: nothing is entered into that time any more.

    What still waits to be explained (471, 580, 511) is shown: explain it before.
    """
    language, today = context.settings.operator.language, context.today

    def work(session: Session) -> Facts:
        owner = organisations.get(session, name)
        waiting = closings.waiting(session, owner.id, last_day)
        closing = closings.close(session, owner, last_day, today=today)
        return {
            "organisation": owner.name,
            "closed_to": closing.last_day.isoformat(),
            "entries": closing.last_entry,
            "debits_to_date": money.euros(closing.debit_to_date),
            "seal": closing.hash,
            **{
                f"waits on {account} {chart.label(account, language)}": amount
                for account, amount in waiting.items()
            },
        }

    question = f"Close the books of {name} up to {last_day}? It is never undone."
    change(context, work, how, question=question)


@dataclass(frozen=True)
class Allocated:
    """What an assembly decided of the result of a year, as it is typed."""

    name: str
    year: date
    carried: str
    reserves: str
    legal: str
    dividends: str
    on: date

    def decision(self) -> Decision:
        """Return it in cents. Raises UsageRefused for what is no amount."""
        return Decision(
            self.on,
            carried=money.parse(self.carried).units,
            reserves=money.parse(self.reserves).units,
            legal=money.parse(self.legal).units,
            dividends=money.parse(self.dividends).units,
        )


@click.command()
@click.argument("name")
@click.argument("year", type=YearType())
@click.option("--carried", default="0", help="Carried forward: 110, or 119 for a loss.")
@click.option("--reserves", default="0", help="To the reserves (1068); of a loss, from them.")
@click.option("--legal", default="0", help="To the legal reserve of a business (1061).")
@click.option("--dividends", default="0", help="To the partners of a business (457).")
@click.option("--on", type=day_type, required=True, help="The day of the assembly.")
@typed(Allocated, "decided")
@change_options
@pass_context
def allocate(context: Context, decided: Allocated, how: How) -> None:
    """Enter what the assembly of NAME decided of the result of YEAR.

    YEAR is a year, or the last day of an exercise that ends otherwise. Its books are closed before.
    The amounts add up to the result, which stands on 120 or 129 until then.
    """
    decision, today = decided.decision(), context.today

    def work(session: Session) -> Facts:
        owner = organisations.get(session, decided.name)
        result, lines = results.allocate(session, owner, decided.year, decision, today)
        return {
            "organisation": owner.name,
            "result_to": result.last_day.isoformat(),
            "result": money.euros(result.units),
            **{f"{line.account} {chart.label(line.account, 'fr')}": line.amount for line in lines},
        }

    change(context, work, how)
