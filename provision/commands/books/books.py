"""`paquet money`: what the ledger holds, and whether it is as it must be."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from provision import money as exact
from provision.commands.books.money_results import allocate
from provision.commands.shared.changing import change_options, decided, show_amounts
from provision.commands.shared.context import (
    PROBLEMS_FOUND,
    dry_run_option,
    json_option,
    pass_context,
    show,
)
from provision.commands.shared.words import day_type, folder_type, worded
from provision.errors import UsageRefused
from provision.process.files import write_private
from provision.subscriptions.books import cutoffs, exporting, vat_due, verify
from provision.subscriptions.documents import union_consumers
from provision.subscriptions.ledger import chart, closings, posting
from provision.subscriptions.parties import organisations

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import Facts, How
    from provision.commands.shared.context import Context
    from provision.subscriptions.books.vat_due import Due, Statement
    from provision.subscriptions.ledger.posting import Balance


@click.group()
def money() -> None:
    """Read the ledger and prove that it is whole."""


money.add_command(allocate)


@money.command()
@click.option("--organisation", metavar="NAME", help="Only this one's accounts.")
@click.option("--on", type=day_type, help="As of the end of this day; else all.")
@click.option("--known", type=day_type, help="As the books said on this day, before corrections.")
@click.option("--from", "first_day", type=day_type, help="Of the year that begins on this day.")
@json_option
@pass_context
def balance(context: Context, /, *, as_json: bool, **words: object) -> None:
    """Show what each account holds, since the beginning or, with --from, of one year.

    A year begins with its opening: the result of what was before stands on 120 or 129, less what
    was allocated.
    """
    language = context.settings.operator.language
    with context.reading() as session:
        names = {one.id: one.name for one in organisations.everyone(session)}
        balances = _balances(session, words, context.control().today())
    rows = [_row(one, names[one.organisation_id], language) for one in balances]
    show([worded(row, language, as_json=as_json) for row in rows], as_json=as_json)
    if not rows and not as_json:
        click.echo("Nothing is posted yet.")


def _balances(session: Session, words: Mapping[str, object], today: date) -> list[Balance]:
    """Return the balances that were asked for."""
    on, known, first_day = (
        cast("datetime | None", words[name]) for name in ("on", "known", "first_day")
    )
    name = words["organisation"]
    owner = organisations.get(session, str(name)) if name else None
    if first_day is None:
        days = (on.date() if on else None, known.date() if known else None)
        return posting.balance(session, posting.Sight(owner.id if owner else None, *days))
    if owner is None or known is not None:
        raise UsageRefused(
            "A year is of one organisation, as its books are now",
            "Give --organisation with --from, and not --known.",
        )
    period = exporting.Period(first_day.date(), on.date() if on else today)
    return exporting.balances(session, owner, period)


@money.command()
@click.argument("name")
@click.option("--to", "last_day", type=day_type, required=True, help="The last day that closes.")
@change_options
@pass_context
def close(context: Context, /, name: str, last_day: datetime, how: How) -> None:
    """Close the books of NAME up to a day: nothing is entered into that time any more.

    What still waits to be explained (471, 580, 511) is shown: explain it before.
    """
    language, today = context.settings.operator.language, context.control().today()

    def work(session: Session) -> Facts:
        owner, day = organisations.get(session, name), last_day.date()
        waiting = closings.waiting(session, owner.id, day)
        made = closings.close(session, owner, day, today=today)
        return {
            "organisation": owner.name,
            "closed_to": made.last_day.isoformat(),
            "entries": made.last_entry,
            "debits_to_date": exact.euros(made.debit_to_date),
            "seal": made.hash,
            **{
                f"waits on {account} {chart.label(account, language)}": amount
                for account, amount in waiting.items()
            },
        }

    def preview(facts: Facts) -> None:
        show_amounts(context, facts, as_json=False)

    question = f"Close the books of {name} up to {last_day.date()}? It is never undone."
    show_amounts(context, decided(context, work, how, (preview, question)), as_json=how.as_json)


@money.command()
@click.argument("name")
@click.option("--format", "kind", type=click.Choice(exporting.FORMATS), required=True)
@click.option("--from", "first_day", type=day_type, required=True, help="First day of the year.")
@click.option("--until", "last_day", type=day_type, required=True, help="Last day of the year.")
@click.option("--to", "folder", type=folder_type, required=True, help="Where the files go.")
@json_option
@pass_context
def export(context: Context, /, name: str, **words: object) -> None:
    """Write the books of NAME for an accountant, the tax office (fec) or another program.

    A FEC is read again by our own checker before it is written; exit 5 when it finds something.
    """
    days = [cast("datetime", words[name]).date() for name in ("first_day", "last_day")]
    kind, period = str(words["kind"]), exporting.Period(*days)
    with context.reading() as session:
        owner = organisations.get(session, name)
        language = context.settings.operator.language
        files = exporting.export(session, owner, period, kind, language)
    found = exporting.problems(files, period) if kind == "fec" else []
    if found:
        show([asdict(one) for one in found], as_json=bool(words["as_json"]))
        sys.exit(PROBLEMS_FOUND)
    written = write_private(Path(str(words["folder"])), files)
    show([{"file": str(path)} for path in written], as_json=bool(words["as_json"]))


@money.command(name="cut-off")
@click.argument("name")
@click.option("--on", type=day_type, required=True, help="The last day of the year.")
@dry_run_option
@json_option
@pass_context
def cut_off(context: Context, name: str, on: datetime, *, dry_run: bool, as_json: bool) -> None:
    """Put off what NAME invoiced, or bought, for days after the year (487, 486).

    The next day takes it back. Do it before the books are closed. Done again, it enters what
    differs by then: `entered_sold` and `entered_bought`.
    """
    with context.session() as session:
        owner, day = organisations.get(session, name), on.date()
        found = cutoffs.find(session, owner, day)
        if dry_run:
            entered = cutoffs.missing(session, owner, day)
        else:
            entered = cutoffs.post(session, owner, day, context.control().today())
    facts = {
        "sold": exact.euros(found.sold),
        "bought": exact.euros(found.bought),
        "entered_sold": exact.euros(entered.sold),
        "entered_bought": exact.euros(entered.bought),
    }
    show(worded(facts, context.settings.operator.language, as_json=as_json), as_json=as_json)


@money.command()
@click.argument("name")
@click.option("--from", "first_day", type=day_type, required=True, help="First day.")
@click.option("--to", "last_day", type=day_type, required=True, help="Last day.")
@json_option
@pass_context
def vat(
    context: Context, name: str, first_day: datetime, last_day: datetime, *, as_json: bool
) -> None:
    """Show the VAT that NAME owes for a period: that of what was paid, and what waits.

    Services are due when they are paid (CGI article 269-2-c), or when invoiced with the option for
    debits. The sum is compared with 44571; exit 5 when they differ. Sales abroad have rows of their
    own: those that the buyer declares (AE) count when they are invoiced.
    """
    with context.reading() as session:
        owner = organisations.get(session, name)
        found = vat_due.statement(session, owner, first_day.date(), last_day.date())
        abroad = union_consumers.sold(session, owner.id, last_day.year)
    language = context.settings.operator.language
    rows = [worded(_vat_row(one), language, as_json=as_json) for one in found.rows]
    if as_json:
        facts = {"unexplained_cents": found.unexplained, "union_consumers_cents": abroad}
        show({"rows": rows, **facts}, as_json=True)
    else:
        at_home = all(not one.abroad for one in found.rows)
        show([_without(row, "abroad") if at_home else row for row in rows], as_json=False)
        click.echo(_vat_verdict(found, language))
        if abroad:
            click.echo(_threshold(abroad, last_day.year, language))
    if found.unexplained:
        sys.exit(PROBLEMS_FOUND)


@money.command(name="verify")
@click.option("--quick", is_flag=True, help="Sums and numbers alone; no seal is computed again.")
@json_option
@pass_context
def verify_all(context: Context, *, quick: bool, as_json: bool) -> None:
    """Check every entry, document, share and payment; exit 5 when one is not as it must be.

    The end of each journal is shown with its hash: note it elsewhere, for only that shows
    whether somebody took the last entries away.
    """
    with context.reading() as session:
        findings = verify.verify(session, seals=not quick)
        heads = verify.heads(session)
    if as_json:
        whole = {"findings": [asdict(one) for one in findings], "heads": [asdict(h) for h in heads]}
        show(whole, as_json=True)
    else:
        show([asdict(head) for head in heads], as_json=False)
        show([asdict(one) for one in findings], as_json=False)
        click.echo(f"{len(findings)} problems found." if findings else "All is as it must be.")
    if findings:
        sys.exit(PROBLEMS_FOUND)


def _vat_row(one: Due) -> dict[str, object]:
    amounts = {
        "invoiced_net": one.invoiced_net,
        "invoiced_vat": one.invoiced_vat,
        "paid": one.paid,
        "base": one.base,
        "vat_due": one.due,
        "vat_lost": one.lost,
        "vat_waiting": one.waiting,
    }
    return {
        "category": one.category,
        "rate": f"{one.rate // 100}.{one.rate % 100:02d} %",
        "abroad": one.abroad,
        **{name: exact.euros(units) for name, units in amounts.items()},
    }


def _without(row: Mapping[str, object], column: str) -> dict[str, object]:
    return {name: said for name, said in row.items() if name != column}


def _threshold(abroad: int, year: int, language: str) -> str:
    so_far, limit = (
        exact.show(exact.euros(one), language) for one in (abroad, union_consumers.LIMIT)
    )
    return f"Sold to consumers in other member states in {year}: {so_far} of {limit}."


def _vat_verdict(found: Statement, language: str) -> str:
    if not found.unexplained:
        return "It agrees with 44571."
    left = exact.show(exact.euros(found.unexplained), language)
    return f"44571 holds {left} that is on no document: see paquet money verify."


def _row(one: Balance, name: str, language: str) -> dict[str, object]:
    return {
        "organisation": name,
        "account": one.account,
        "label": chart.label(one.account, language),
        "debit": one.debit,
        "credit": one.credit,
        "balance": one.amount,
    }
