"""`paquet invoice`: bill what is due, look at documents, write them as PDF and Factur-X."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from sqlalchemy import select

from provision.commands.context import (
    ask,
    dry_run_option,
    json_option,
    pass_context,
    show,
    yes_option,
)
from provision.commands.money import day_type, folder_type, worded
from provision.errors import UsageRefused
from provision.money import euros
from provision.subscriptions import open_items, organisations, papers
from provision.subscriptions.invoice_models import Invoice
from provision.workflows import bill

if TYPE_CHECKING:
    from datetime import date, datetime

    from provision.commands.context import Context
    from provision.subscriptions.billing import Outcome
    from provision.subscriptions.open_items import Document


@click.group()
def invoice() -> None:
    """Bill what is due, and hand out what was billed."""


@invoice.command()
@click.option("--on", type=day_type, help="The day of the documents; else today.")
@yes_option
@dry_run_option
@json_option
@pass_context
def run(context: Context, on: datetime | None, *, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Issue an invoice for every term that has begun, once.

    Every invariant of the ledger is checked before. A run that was interrupted is finished first,
    with the day on which it began.
    """
    control = context.control()
    day = on.date() if on else control.today()
    planned = bill.preview(control, day)
    language = context.settings.operator.language
    if dry_run or not planned.documents:
        show(worded(_run_facts(planned), language, as_json=as_json), as_json=as_json)
        return
    if not yes:
        show(worded(_run_facts(planned), language, as_json=False), as_json=False)
        ask("Issue them? A document is never taken back, only credited.")
    done = bill.bill(control, day)
    show(worded(_run_facts(done), language, as_json=as_json), as_json=as_json)


@invoice.command(name="list")
@click.option("--by", "issuer", metavar="NAME", help="Only of this organisation.")
@click.option("--since", type=day_type, help="Only from this day on.")
@click.option("--open", "only_open", is_flag=True, help="Only what is not paid yet.")
@json_option
@pass_context
def list_all(
    context: Context,
    issuer: str | None,
    since: datetime | None,
    *,
    only_open: bool,
    as_json: bool,
) -> None:
    """Show documents with what is still open on them."""
    language, today = context.settings.operator.language, context.control().today()
    with context.session() as session:
        owner = organisations.get(session, issuer).id if issuer else None
        found = open_items.documents(session, owner, since.date() if since else None)
    rows = [_facts(one, today) for one in found if one.open.units or not only_open]
    show([worded(row, language, as_json=as_json) for row in rows], as_json=as_json)
    if not rows and not as_json:
        click.echo("There is none.")


@invoice.command()
@click.argument("numbers", nargs=-1)
@click.option("--by", "issuer", metavar="NAME", required=True, help="The organisation that sold.")
@click.option("--to", "folder", type=folder_type, required=True, help="Where the files go.")
@click.option("--since", type=day_type, help="All from this day on.")
@click.option("--xml", is_flag=True, help="Write the Factur-X beside each PDF too.")
@json_option
@pass_context
def write(context: Context, /, numbers: tuple[str, ...], **words: object) -> None:
    """Write documents as PDF/A-3 that hold their Factur-X: NUMBERS, or all since a day."""
    since: datetime | None = words["since"]  # type: ignore[assignment]
    if bool(numbers) == bool(since):
        raise UsageRefused("Which documents?", "Name them, or give --since DAY.")
    with context.session() as session:
        owner = organisations.get(session, str(words["issuer"]))
        wanted = select(Invoice).where(Invoice.organisation_id == owner.id)
        if since:
            wanted = wanted.where(Invoice.issued_on >= since.date())
        else:
            found = [papers.find(session, owner, shown) for shown in numbers]
            keys = [one.entry_number for one in found]
            wanted = wanted.where(Invoice.entry_number.in_(keys))
        documents, folder = papers.every(session, wanted), Path(str(words["folder"]))
        made = bill.write(documents, folder, xml=bool(words["xml"]))
    show([{"file": str(path)} for path in made], as_json=bool(words["as_json"]))


def _run_facts(outcome: Outcome) -> dict[str, object]:
    return {
        "days": ", ".join(day.isoformat() for day in outcome.days),
        "documents": outcome.documents,
        "gross": euros(outcome.gross),
    }


def _facts(one: Document, today: date) -> dict[str, object]:
    return {
        "number": one.shown,
        "kind": one.kind,
        "for": one.name,
        "issued": one.issued_on.isoformat(),
        "due": one.due_on.isoformat(),
        "gross": one.gross,
        "open": one.open,
        "state": one.state(today),
    }
