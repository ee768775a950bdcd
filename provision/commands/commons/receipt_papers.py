"""`paquet receipt write`: receipts as paper, each copy once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision.commands.commons.receipt_facts import copy_facts
from provision.commands.shared.changing import agreed, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import day_type, folder_type, typed
from provision.errors import UsageRefused
from provision.process.files import write_private
from provision.subscriptions.commons.receipts import copies, papers, recording
from provision.subscriptions.documents import numbering
from provision.subscriptions.parties import organisations

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.subscriptions.documents.receipt_models import Receipt


@dataclass(frozen=True)
class ReceiptsWanted:
    """Which receipts of whom go into which folder: by number, or all since a day."""

    organisation: str
    numbers: tuple[str, ...]
    since: date | None
    folder: Path


@click.command()
@click.argument("organisation")
@click.argument("numbers", nargs=-1)
@click.option("--since", type=day_type, help="All from this day on, once.")
@click.option("--out", "--to", "folder", type=folder_type, required=True, help="Where they go.")
@typed(ReceiptsWanted, "wanted")
@change_options
@pass_context
def write(context: Context, wanted: ReceiptsWanted, how: How) -> None:
    """Write receipts as PDF/A: NUMBERS, or all since a day that were not written yet.

    The first copy of a receipt is the original; every later one says that it is a duplicate.
    """
    with context.reading() as session:
        receipts = {
            numbering.shown(receipt.series, receipt.number): receipt
            for receipt in _meant(session, wanted)
        }
        planned = [copy_facts(session, receipt, wanted.folder) for receipt in receipts.values()]
    if not planned:
        context.show([], as_json=how.as_json)
    elif agreed(context, planned, how, "Write them?"):
        rows = [written(context, wanted.organisation, number, wanted.folder) for number in receipts]
        context.show(rows, as_json=how.as_json)


def written(context: Context, organisation: str, shown: str, folder: Path) -> Facts:
    """Write the next copy of the receipt `shown`: no writer waits while it is drawn.

    That it is there is written down with the file, or neither is.
    """
    with context.reading() as session:
        owner = organisations.get(session, organisation)
        copy = papers.copy(session, recording.find(session, owner, shown))
    with context.session() as session:
        receipt = recording.find(session, organisations.get(session, organisation), shown)
        papers.hand_out(session, receipt, copy, context.today)
        (path,) = write_private(folder, {copy.place.name: copy.pdf})
    return {"file": str(path), "copy": copy.place.state}


def _meant(session: Session, wanted: ReceiptsWanted) -> list[Receipt]:
    if bool(wanted.numbers) == bool(wanted.since):
        raise UsageRefused("Which receipts?", "Name them, or give --since DAY.")
    owner = organisations.get(session, wanted.organisation)
    if wanted.since:
        return copies.unwritten(session, recording.everyone(session, owner, wanted.since))
    return [recording.find(session, owner, shown) for shown in wanted.numbers]
