"""`paquet books`: what the ledger holds, and whether it is as it must be."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from provision.commands.shared.context import PROBLEMS_FOUND, pass_context
from provision.commands.shared.imported import Imported, Waiting
from provision.commands.shared.words import day_type, json_option, name_type, typed
from provision.errors import UsageRefused
from provision.subscriptions.books import exporting, verify
from provision.subscriptions.ledger import chart, posting
from provision.subscriptions.parties import organisations

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.subscriptions.ledger.posting import Balance

WAITING = {
    "cut-off": Waiting(
        "books.books_year",
        "Put off what NAME invoiced, or bought, for days after the year (487, 486).",
    ),
    "close": Waiting(
        "books.books_year",
        "Close the books of NAME up to a day: nothing is entered into that time any more.",
    ),
    "allocate": Waiting(
        "books.books_year", "Enter what the assembly of NAME decided of the result of YEAR."
    ),
    "vat": Waiting(
        "books.books_vat",
        "Show the VAT that NAME owes for a period: that of what was paid, and what waits.",
    ),
    "export": Waiting(
        "books.books_export",
        "Write the books of NAME for an accountant, the tax office (fec) or another program.",
    ),
}


@click.group(cls=Imported, waiting=WAITING)
def books() -> None:
    """Read the ledger and prove that it is whole."""


@dataclass(frozen=True)
class BalancesAsked:
    """Of whom, as of which day, as known on which day, and since when balances are asked for."""

    organisation: str | None
    on: date | None
    known: date | None
    first_day: date | None


@books.command()
@click.option("--organisation", type=name_type, help="Only this one's accounts.")
@click.option("--on", type=day_type, help="As of the end of this day; else all.")
@click.option("--known", type=day_type, help="As the books said on this day, before corrections.")
@click.option("--from", "first_day", type=day_type, help="Of the year that begins on this day.")
@typed(BalancesAsked, "wanted")
@json_option
@pass_context
def balance(context: Context, wanted: BalancesAsked, *, as_json: bool) -> None:
    """Show what each account holds, since the beginning or, with --from, of one year.

    A year begins with its opening: the result of what was before stands on 120 or 129, less what
    was allocated.
    """
    language = context.settings.operator.language
    with context.reading() as session:
        names = {
            organisation.id: organisation.name for organisation in organisations.everyone(session)
        }
        balances = _balances(session, wanted, context.today)
    rows = [_row(balance, names[balance.organisation_id], language) for balance in balances]
    context.show(rows, as_json=as_json, nothing="Nothing is posted yet.")


def _balances(session: Session, wanted: BalancesAsked, today: date) -> list[Balance]:
    """Return the balances that were asked for."""
    owner = organisations.get(session, wanted.organisation) if wanted.organisation else None
    if wanted.first_day is None:
        sight = posting.Sight(owner.id if owner else None, wanted.on, wanted.known)
        return posting.balance(session, sight)
    if owner is None or wanted.known is not None:
        raise UsageRefused(
            "A year is of one organisation, as its books are now",
            "Give --organisation with --from, and not --known.",
        )
    period = exporting.Period(wanted.first_day, wanted.on or today)
    return exporting.balances(session, owner, period)


@books.command(name="verify")
@click.option("--quick", is_flag=True, help="Sums and numbers alone; no seal is computed again.")
@json_option
@pass_context
def verify_all(context: Context, *, quick: bool, as_json: bool) -> None:
    """Check every entry, document, share and payment; exit 5 when one is not as it must be.

    The end of each journal is shown with its hash: note it elsewhere, for only that shows
    whether somebody took the last entries away.
    """
    with context.reading() as session:
        findings = [asdict(discrepancy) for discrepancy in verify.verify(session, seals=not quick)]
        heads = [asdict(head) for head in verify.heads(session)]
    if as_json:
        context.show({"findings": findings, "heads": heads}, as_json=True)
    else:
        context.show(heads)
        context.show(findings)
        click.echo(f"{len(findings)} problems found." if findings else "All is as it must be.")
    if findings:
        sys.exit(PROBLEMS_FOUND)


def _row(balance: Balance, name: str, language: str) -> Facts:
    return {
        "organisation": name,
        "account": balance.account,
        "label": chart.label(balance.account, language),
        "debit": balance.debit,
        "credit": balance.credit,
        "balance": balance.amount,
    }
