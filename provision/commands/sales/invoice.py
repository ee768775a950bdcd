"""`paquet invoice`: bill what is due, look at documents, write them as PDF and Factur-X."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from sqlalchemy import select

from provision.commands.sales.invoice_deposits import deposit, list_deposits
from provision.commands.shared.words import day_type, folder_type, worded
from provision.commands.shared.changing import change_options
from provision.commands.shared.context import (
    ask,
    dry_run_option,
    json_option,
    pass_context,
    show,
    yes_option,
)
from provision.commands.shared.deciding import decide, document_facts, tell
from provision.errors import PaquetError, UsageRefused
from provision.formats.books.einvoicing import FolderPlatform
from provision.formats.facturx.batches import Refused
from provision.money import euros
from provision.subscriptions.books import papers
from provision.subscriptions.documents import numbering, open_items
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.parties import organisations
from provision.workflows import bill, correcting, einvoices

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date, datetime
    from pathlib import Path

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.subscriptions.documents.open_items import Document
    from provision.subscriptions.selling.billing import Outcome


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
    if dry_run:
        show(worded(_run_facts(planned), language, as_json=as_json), as_json=as_json)
        _tell_left_out(planned)
        return
    if planned.documents and not yes:
        show(worded(_run_facts(planned), language, as_json=False), as_json=False)
        ask("Issue them? A document is never taken back, only credited.")
    done = bill.bill(control, day)
    show(worded(_run_facts(done), language, as_json=as_json), as_json=as_json)
    _tell_left_out(done)


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
    with context.reading() as session:
        owner = organisations.get(session, issuer).id if issuer else None
        found = open_items.documents(session, owner, since.date() if since else None)
    rows = [_facts(one, today) for one in found if one.open.units or not only_open]
    show([worded(row, language, as_json=as_json) for row in rows], as_json=as_json)
    if not rows and not as_json:
        click.echo("There is none.")


def _which(command: Callable[..., None]) -> Callable[..., None]:
    """Say which documents: by number, or all since a day, of one organisation."""
    for decorate in (
        click.argument("numbers", nargs=-1),
        click.option("--by", "issuer", metavar="NAME", required=True, help="Who issued them."),
        click.option("--since", type=day_type, help="All from this day on."),
    ):
        command = decorate(command)
    return command


@invoice.command()
@_which
@click.option("--to", "folder", type=folder_type, required=True, help="Where the files go.")
@click.option("--xml", is_flag=True, help="Write the Factur-X beside each PDF too.")
@json_option
@pass_context
def write(context: Context, /, folder: Path, *, xml: bool, as_json: bool, **words: Any) -> None:  # noqa: ANN401 (click's)
    """Write documents as PDF/A-3 that hold their Factur-X: NUMBERS, or all since a day."""
    with context.reading() as session:
        made = bill.write(papers.readable(session, _wanted(session, **words)), folder, xml=xml)
    show([{"file": str(path)} for path in made.files], as_json=as_json)
    _tell_refused(made.refused)


@invoice.command()
@_which
@click.option("--to", "folder", type=folder_type, required=True, help="The client's outbox.")
@json_option
@pass_context
def drop(context: Context, /, folder: Path, *, as_json: bool, **words: Any) -> None:  # noqa: ANN401 (click's)
    """Lay invoices to businesses into the folder of an approved platform's client, once each.

    Nothing is sent from here: the client that the platform gives takes invoice and manifest from
    there. Since 1 September 2026 or 2027, by size, such invoices must go that way.
    """
    with context.reading() as session:
        documents = list(papers.readable(session, _wanted(session, **words)))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    became = einvoices.drop(context.control(), documents, FolderPlatform(folder, folder))
    refused = [one for one in became.values() if isinstance(one, Refused)]
    left = {one.number for one in refused}
    rows = [
        {"number": shown, "state": state} for shown, state in became.items() if shown not in left
    ]
    show(rows, as_json=as_json)
    _tell_refused(refused)


@invoice.command()
@click.option("--from", "folder", type=folder_type, required=True, help="The client's inbox.")
@json_option
@pass_context
def answers(_context: Context, folder: Path, *, as_json: bool) -> None:
    """Show what the approved platform answered: its client puts the answers into a folder."""
    found = FolderPlatform(folder, folder).statuses()
    rows = [
        {"invoice": one.tracking_id, "state": one.state, "reasons": "; ".join(one.reasons)}
        for one in found
    ]
    show(rows, as_json=as_json)
    if not rows and not as_json:
        click.echo("There is no answer yet.")


@invoice.command()
@click.argument("number")
@click.option("--by", "issuer", metavar="NAME", required=True, help="Who issued it.")
@click.option("--reason", default="", help="It stands on both; else that the customer was wrong.")
@change_options
@pass_context
def correct(context: Context, /, number: str, issuer: str, reason: str, how: How) -> None:
    """Make the invoice NUMBER again for its customer as known today (paquet subscription identify).

    A credit note takes it back, a new invoice names it; what was paid counts for the new one.
    """
    today = context.control().today()
    series, place = numbering.parse(number)

    def work(session: Session) -> dict[str, object]:
        wrong = Number(organisations.get(session, issuer).id, series, place)
        made = correcting.correct(session, wrong, reason, today)
        return {"corrected": wrong.shown, "documents": document_facts(session, made)}

    found = decide(context, work, dry_run=how.dry_run, yes=how.yes)
    tell(context, found, as_json=how.as_json)


invoice.add_command(deposit)
invoice.add_command(list_deposits)


def _wanted(
    session: Session, numbers: tuple[str, ...], issuer: str, since: datetime | None
) -> Select[Invoice]:
    if bool(numbers) == bool(since):
        raise UsageRefused("Which documents?", "Name them, or give --since DAY.")
    owner = organisations.get(session, issuer)
    wanted = select(Invoice).where(Invoice.organisation_id == owner.id)
    if since:
        return wanted.where(Invoice.issued_on >= since.date())
    found = [papers.find(session, owner, shown) for shown in numbers]
    return wanted.where(Invoice.entry_number.in_([one.entry_number for one in found]))


def _tell_left_out(outcome: Outcome) -> None:
    """End with a sentence for each subscription whose buyer abroad could not be billed."""
    if outcome.left_out:
        raise PaquetError(
            f"{len(outcome.left_out)} of the subscriptions could not be billed: who pays is abroad",
            "\n".join(
                f"Subscription {number}: {why.message}. {why.hint}"
                for number, why in sorted(outcome.left_out.items())
            ),
        )


def _tell_refused(refused: Sequence[Refused]) -> None:
    """End with a sentence for each document that could not be made; the others are there."""
    if refused:
        raise PaquetError(
            f"{len(refused)} of the documents could not be written",
            "\n".join(f"{one.number}: {one.why}" for one in refused),
        )


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
