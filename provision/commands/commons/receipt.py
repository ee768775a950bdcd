"""`paquet receipt`: membership fees and donations that an association received."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision.commands.commons.receipt_facts import receipt_facts
from provision.commands.shared.changing import change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.imported import Imported, Waiting
from provision.commands.shared.words import day_type, json_option, typed
from provision.subscriptions.commons.receipts import recording
from provision.subscriptions.parties import organisations

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts

WAITING = {
    "membership": Waiting(
        "commons.receipt_entering",
        "Write down AMOUNT euros that ORGANISATION received from GIVER as a membership fee.",
    ),
    "donation": Waiting(
        "commons.receipt_entering",
        "Write down AMOUNT euros that ORGANISATION received from GIVER as a donation.",
    ),
    "write": Waiting(
        "commons.receipt_papers",
        "Write receipts as PDF/A: NUMBERS, or all since a day that were not written yet.",
    ),
}


@click.group(cls=Imported, waiting=WAITING)
def receipt() -> None:
    """Write down fees and donations that an association received, and give receipts."""


@receipt.command(name="list")
@click.argument("organisation")
@click.option("--since", type=day_type, help="Only from this day on.")
@json_option
@pass_context
def list_all(context: Context, organisation: str, since: date | None, *, as_json: bool) -> None:
    """Show the receipts of ORGANISATION, also those that were cancelled."""
    with context.reading() as session:
        owner = organisations.get(session, organisation)
        receipts = recording.everyone(session, owner, since)
        rows = [receipt_facts(session, paper) for paper in receipts]
    context.show(rows, as_json=as_json)


@dataclass(frozen=True)
class ReceiptCancelled:
    """Which receipt of whom is cancelled, and why."""

    organisation: str
    number: str
    why: str


@receipt.command()
@click.argument("organisation")
@click.argument("number")
@click.option("--why", required=True, help="The reason, for the record; it names nobody.")
@typed(ReceiptCancelled, "wanted")
@change_options
@pass_context
def cancel(context: Context, wanted: ReceiptCancelled, how: How) -> None:
    """Cancel the receipt NUMBER of ORGANISATION: it keeps its number, the books take it back.

    Money that the bank has shown is to be paid back then (payment match), or is written down again
    with --instead-of.
    """
    today = context.today

    def work(session: Session) -> Facts:
        owner = organisations.get(session, wanted.organisation)
        receipt = recording.find(session, owner, wanted.number)
        recording.cancel(session, receipt, wanted.why, today)
        return receipt_facts(session, receipt)

    change(context, work, how)
