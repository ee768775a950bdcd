"""`paquet invoice write|drop|answers`: documents as files, for people and for a platform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from sqlalchemy import select

from provision.commands.shared.changing import agreed, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import day_type, folder_type, json_option, typed
from provision.errors import PaquetError, UsageRefused
from provision.formats.books.einvoicing import FolderPlatform
from provision.formats.facturx.batches import Refused
from provision.subscriptions.books import papers
from provision.subscriptions.documents import numbering
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.parties import organisations
from provision.workflows import einvoices, invoice_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.commands.shared.words import Command


@dataclass(frozen=True)
class HandedOut:
    """Which documents of whom go into which folder: by number, or all since a day."""

    numbers: tuple[str, ...]
    issuer: str
    since: date | None
    folder: Path
    xml: bool = False


def _which(command: Command) -> Command:
    """Say which documents: by number, or all since a day, of one organisation."""
    for decorate in (
        typed(HandedOut, "wanted"),
        click.argument("numbers", nargs=-1),
        click.option("--by", "issuer", metavar="NAME", required=True, help="Who issued them."),
        click.option("--since", type=day_type, help="All from this day on."),
    ):
        command = decorate(command)
    return command


@click.command()
@_which
@click.option("--to", "folder", type=folder_type, required=True, help="Where the files go.")
@click.option("--xml", is_flag=True, help="Write the Factur-X beside each PDF too.")
@change_options
@pass_context
def write(context: Context, wanted: HandedOut, how: How) -> None:
    """Write documents as PDF/A-3 that hold their Factur-X: NUMBERS, or all since a day."""
    with context.reading() as session:
        planned = _files(session, wanted)
    if not agreed(context, planned, how, "Write them?"):
        return
    with context.reading() as session:
        documents = papers.readable(session, _selected(session, wanted))
        made = invoice_files.write(documents, wanted.folder, xml=wanted.xml)
    context.show([{"file": str(path)} for path in made.files], as_json=how.as_json)
    _tell_refused(made.refused)


@click.command()
@_which
@click.option("--to", "folder", type=folder_type, required=True, help="The client's outbox.")
@change_options
@pass_context
def drop(context: Context, wanted: HandedOut, how: How) -> None:
    """Lay invoices to businesses into the folder of an approved platform's client, once each.

    Nothing is sent from here: the client that the platform gives takes invoice and manifest from
    there. Since 1 September 2026 or 2027, by size, such invoices must go that way.
    """
    control = context.control()
    with context.reading() as session:
        documents = list(papers.readable(session, _selected(session, wanted)))
    planned = einvoices.planned(control, documents)
    if not agreed(context, _states(planned), how, "Lay them there?"):
        _tell_refused(_refused(planned))
        return
    wanted.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    became = einvoices.drop(control, documents, FolderPlatform(wanted.folder, wanted.folder))
    context.show(_states(became), as_json=how.as_json)
    _tell_refused(_refused(became))


@click.command()
@click.option("--from", "folder", type=folder_type, required=True, help="The client's inbox.")
@json_option
@pass_context
def answers(context: Context, folder: Path, *, as_json: bool) -> None:
    """Show what the approved platform answered: its client puts the answers into a folder."""
    rows: list[Facts] = [
        {"invoice": one.tracking_id, "state": one.state, "reasons": "; ".join(one.reasons)}
        for one in FolderPlatform(folder, folder).statuses()
    ]
    context.show(rows, as_json=as_json, nothing="There is no answer yet.")


def _selected(session: Session, wanted: HandedOut) -> Select[Invoice]:
    if bool(wanted.numbers) == bool(wanted.since):
        raise UsageRefused("Which documents?", "Name them, or give --since DAY.")
    owner = organisations.get(session, wanted.issuer)
    selected = select(Invoice).where(Invoice.organisation_id == owner.id)
    if wanted.since:
        return selected.where(Invoice.issued_on >= wanted.since)
    found = [papers.find(session, owner, shown) for shown in wanted.numbers]
    return selected.where(Invoice.entry_number.in_([one.entry_number for one in found]))


def _files(session: Session, wanted: HandedOut) -> list[Facts]:
    """Return the files that the documents will be."""
    endings = (".pdf", ".xml") if wanted.xml else (".pdf",)
    found = session.scalars(_selected(session, wanted).order_by(Invoice.series, Invoice.number))
    shown = [numbering.shown(one.series, one.number) for one in found]
    return [
        {"file": str(wanted.folder / f"{number}{ending}")} for number in shown for ending in endings
    ]


def _states(became: Mapping[str, str | Refused]) -> list[Facts]:
    return [
        {"number": number, "state": state}
        for number, state in became.items()
        if not isinstance(state, Refused)
    ]


def _refused(became: Mapping[str, str | Refused]) -> list[Refused]:
    return [one for one in became.values() if isinstance(one, Refused)]


def _tell_refused(refused: Sequence[Refused]) -> None:
    """End with a sentence for each document that could not be made; the others are there."""
    if refused:
        raise PaquetError(
            f"{len(refused)} of the documents could not be written",
            "\n".join(f"{one.number}: {one.why}" for one in refused),
        )
