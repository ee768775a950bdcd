"""`paquet invoice`: bill what is due, look at documents, write them as PDF and Factur-X."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision.commands.shared.context import pass_context
from provision.commands.shared.imported import Imported, Waiting
from provision.commands.shared.words import day_type, json_option, name_type, typed
from provision.subscriptions.documents import open_items
from provision.subscriptions.parties import organisations

if TYPE_CHECKING:
    from datetime import date

    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.subscriptions.documents.open_items import OpenItem

ISSUING, PAPERS, DEPOSITS = (
    "sales.invoice_issuing",
    "sales.invoice_papers",
    "sales.invoice_deposits",
)
WAITING = {
    "run": Waiting(ISSUING, "Issue an invoice for every term that has begun, once."),
    "correct": Waiting(
        ISSUING,
        "Make the invoice NUMBER again for its customer as known today (paquet subscription "
        "identify).",
    ),
    "deposit": Waiting(
        DEPOSITS, "Issue a deposit invoice for what will be sold under SUBSCRIPTION."
    ),
    "deposits": Waiting(
        DEPOSITS,
        "Show deposits: what was paid and deducted of each, and what can still be deducted.",
    ),
    "write": Waiting(
        PAPERS,
        "Write documents as PDF/A-3 that hold their Factur-X: NUMBERS, or all since a day.",
    ),
    "check": Waiting(
        "sales.invoice_check",
        "Check documents by the rules of EN 16931 and of France: NUMBERS, or all since a day.",
    ),
    "drop": Waiting(
        PAPERS,
        "Lay invoices to businesses into the folder of an approved platform's client, once each.",
    ),
    "answers": Waiting(
        PAPERS,
        "Show what the approved platform answered: its client puts the answers into a folder.",
    ),
}


@click.group(cls=Imported, waiting=WAITING)
def invoice() -> None:
    """Bill what is due, and hand out what was billed."""


@dataclass(frozen=True)
class Looked:
    """Which documents a list shows."""

    issuer: str | None
    since: date | None
    only_open: bool


@invoice.command(name="list")
@click.option("--by", "issuer", type=name_type, help="Only of this organisation.")
@click.option("--since", type=day_type, help="Only from this day on.")
@click.option("--open", "only_open", is_flag=True, help="Only what is not paid yet.")
@typed(Looked, "wanted")
@json_option
@pass_context
def list_all(context: Context, wanted: Looked, *, as_json: bool) -> None:
    """Show documents with what is still open on them."""
    today = context.today
    with context.reading() as session:
        owner = organisations.get(session, wanted.issuer).id if wanted.issuer else None
        documents = open_items.documents(session, owner, wanted.since)
    rows = [
        _facts(document, today)
        for document in documents
        if document.open.units or not wanted.only_open
    ]
    context.show(rows, as_json=as_json)


def _facts(document: OpenItem, today: date) -> Facts:
    return {
        "number": document.shown,
        "kind": document.kind,
        "for": document.name,
        "issued": document.issued_on.isoformat(),
        "due": document.due_on.isoformat(),
        "gross": document.asked,
        "open": document.open,
        "state": document.state(today),
    }
