"""`paquet books vat`: what is owed to the state for a period, by what was paid."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from provision import money
from provision.commands.shared.context import PROBLEMS_FOUND, pass_context
from provision.commands.shared.words import day_type, json_option
from provision.subscriptions.books import vat_due
from provision.subscriptions.documents import union_consumers
from provision.subscriptions.parties import organisations

if TYPE_CHECKING:
    from datetime import date

    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.subscriptions.books.vat_due import TaxDue, VatStatement


@click.command()
@click.argument("name")
@click.option("--from", "first_day", type=day_type, required=True, help="First day.")
@click.option("--to", "last_day", type=day_type, required=True, help="Last day.")
@json_option
@pass_context
def vat(context: Context, *, name: str, first_day: date, last_day: date, as_json: bool) -> None:
    """Show the VAT that NAME owes for a period: that of what was paid, and what waits.

    Services are due when they are paid (CGI article 269-2-c), or when invoiced with the option for
    debits. The sum is compared with 44571; exit 5 when they differ. Sales abroad have rows of their
    own: those that the buyer declares (AE) count when they are invoiced.
    """
    with context.reading() as session:
        owner = organisations.get(session, name)
        statement = vat_due.statement(session, owner, first_day, last_day)
        abroad = union_consumers.sold(session, owner.id, last_day.year)
    rows = [_row(tax_due) for tax_due in statement.rows]
    if as_json:
        facts = {"unexplained_cents": statement.unexplained, "union_consumers_cents": abroad}
        context.show({"rows": rows, **facts}, as_json=True)
    else:
        language = context.settings.operator.language
        at_home = all(not tax_due.abroad for tax_due in statement.rows)
        context.show([_without(row, "abroad") if at_home else row for row in rows])
        click.echo(_verdict(statement, language))
        if abroad:
            click.echo(_threshold(abroad, last_day.year, language))
    if statement.unexplained:
        sys.exit(PROBLEMS_FOUND)


def _row(tax_due: TaxDue) -> Facts:
    amounts = {
        "invoiced_net": tax_due.invoiced_net,
        "invoiced_vat": tax_due.invoiced_vat,
        "paid": tax_due.paid,
        "base": tax_due.base,
        "vat_due": tax_due.due,
        "vat_lost": tax_due.lost,
        "vat_waiting": tax_due.waiting,
    }
    return {
        "category": tax_due.category,
        "rate": f"{tax_due.rate // 100}.{tax_due.rate % 100:02d} %",
        "abroad": tax_due.abroad,
        **{name: money.euros(units) for name, units in amounts.items()},
    }


def _without(row: Facts, column: str) -> Facts:
    return {name: said for name, said in row.items() if name != column}


def _threshold(abroad: int, year: int, language: str) -> str:
    so_far, limit = (money.show_euros(units, language) for units in (abroad, union_consumers.LIMIT))
    return f"Sold to consumers in other member states in {year}: {so_far} of {limit}."


def _verdict(statement: VatStatement, language: str) -> str:
    if not statement.unexplained:
        return "It agrees with 44571."
    left = money.show_euros(statement.unexplained, language)
    return f"44571 holds {left} that is on no document: see paquet books verify."
