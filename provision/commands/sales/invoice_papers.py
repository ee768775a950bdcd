"""`paquet invoice write|drop|answers`: documents as files, for people and for a platform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision.commands.sales.chosen_documents import selected, which
from provision.commands.shared.changing import agreed, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import folder_type, json_option, typed
from provision.errors import PaquetError
from provision.formats.books.einvoicing import FolderPlatform
from provision.formats.facturx.batches import Refused
from provision.subscriptions.books import papers
from provision.subscriptions.documents import numbering
from provision.subscriptions.documents.models import Invoice
from provision.workflows import einvoices, invoice_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    from provision.commands.sales.chosen_documents import ChosenDocuments
    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts


@dataclass(frozen=True)
class Handing:
    """Into which folder documents go, and whether their Factur-X goes beside them."""

    folder: Path
    xml: bool = False


@click.command()
@which
@typed(Handing, "handing")
@click.option("--to", "folder", type=folder_type, required=True, help="Where the files go.")
@click.option("--xml", is_flag=True, help="Write the Factur-X beside each PDF too.")
@change_options
@pass_context
def write(context: Context, chosen: ChosenDocuments, handing: Handing, how: How) -> None:
    """Write documents as PDF/A-3 that hold their Factur-X: NUMBERS, or all since a day."""
    with context.reading() as session:
        planned = _files(session, chosen, handing)
    if not agreed(context, planned, how, "Write them?"):
        return
    with context.reading() as session:
        documents = papers.readable(session, selected(session, chosen))
        written = invoice_files.write(documents, handing.folder, xml=handing.xml)
    context.show([{"file": str(path)} for path in written.files], as_json=how.as_json)
    _tell_refused(written.refused)


@click.command()
@which
@typed(Handing, "handing")
@click.option("--to", "folder", type=folder_type, required=True, help="The client's outbox.")
@change_options
@pass_context
def drop(context: Context, chosen: ChosenDocuments, handing: Handing, how: How) -> None:
    """Lay invoices to businesses into the folder of an approved platform's client, once each.

    Nothing is sent from here: the client that the platform gives takes invoice and manifest from
    there. From when on such invoices must go that way: paquet organisation duties.
    """
    control = context.control()
    with context.reading() as session:
        documents = list(papers.readable(session, selected(session, chosen)))
    planned = einvoices.planned(control, documents)
    if not agreed(context, _states(planned), how, "Lay them there?"):
        _tell_refused(_refused(planned))
        return
    handing.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    became = einvoices.drop(control, documents, FolderPlatform(handing.folder, handing.folder))
    context.show(_states(became), as_json=how.as_json)
    _tell_refused(_refused(became))


@click.command()
@click.option("--from", "folder", type=folder_type, required=True, help="The client's inbox.")
@json_option
@pass_context
def answers(context: Context, folder: Path, *, as_json: bool) -> None:
    """Show what the approved platform answered: its client puts the answers into a folder."""
    rows: list[Facts] = [
        {"invoice": status.tracking_id, "state": status.state, "reasons": "; ".join(status.reasons)}
        for status in FolderPlatform(folder, folder).statuses()
    ]
    context.show(rows, as_json=as_json, nothing="There is no answer yet.")


def _files(session: Session, chosen: ChosenDocuments, handing: Handing) -> list[Facts]:
    """Return the files that the documents will be."""
    endings = (".pdf", ".xml") if handing.xml else (".pdf",)
    documents = session.scalars(selected(session, chosen).order_by(Invoice.series, Invoice.number))
    shown = [numbering.shown(document.series, document.number) for document in documents]
    return [
        {"file": str(handing.folder / f"{number}{ending}")}
        for number in shown
        for ending in endings
    ]


def _states(became: Mapping[str, str | Refused]) -> list[Facts]:
    return [
        {"number": number, "state": state}
        for number, state in became.items()
        if not isinstance(state, Refused)
    ]


def _refused(became: Mapping[str, str | Refused]) -> list[Refused]:
    return [outcome for outcome in became.values() if isinstance(outcome, Refused)]


def _tell_refused(refused: Sequence[Refused]) -> None:
    """End with a sentence for each document that could not be made; the others are there."""
    if refused:
        raise PaquetError(
            f"{len(refused)} of the documents could not be written",
            "\n".join(f"{refusal.number}: {refusal.why}" for refusal in refused),
        )
