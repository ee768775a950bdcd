"""Setting something against a document: never more than is open on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision.errors import UsageRefused
from provision.money import show_euros
from provision.subscriptions.documents import drafts, open_items
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.documents.models import Allocation, same_document
from provision.subscriptions.parties import people

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.documents.models import Invoice


# What pays a document, or comes back: kinds of `Allocation`.
PAYMENT, REFUND, RETURN, LOSS = "payment", "refund", "return", "loss"
# What was paid back of too much that then came back to its payer a second time, as a return: it is
# owed again, and no part of what was sold (VAT knows nothing of it).
RECLAIM = "reclaim"


def check_of_person(invoice: Invoice) -> None:
    """Raise UsageRefused unless it is an invoice to a subscriber.

    What organisations owe each other stands in both their books, and is settled in both. A deposit
    is deducted as far as euros paid it, and goes back as euros.
    """
    if invoice.kind == drafts.DEPOSIT:
        raise UsageRefused(
            f"{number_of(invoice).shown} is a deposit invoice: it is paid in euros alone",
            "Set this against the invoice that follows.",
        )
    if invoice.kind != drafts.INVOICE or invoice.party.startswith(people.ORGANISATION):
        raise UsageRefused(
            f"{number_of(invoice).shown} is not an invoice to a subscriber",
            "What organisations owe each other: paquet settlement pay",
        )


def number_of(invoice: Invoice) -> Number:
    """Return what the document is found by."""
    return Number(invoice.organisation_id, invoice.series, invoice.number)


def check_open(session: Session, invoice: Invoice, units: Cents) -> None:
    """Raise UsageRefused unless `units` are above zero and open on the document."""
    left = open_items.left_on(session, invoice)
    if not 0 < units <= left:
        raise UsageRefused(
            f"{show_euros(units)} cannot be set against {number_of(invoice).shown}: "
            f"{show_euros(left)} is open on it",
            "Give an amount above zero, and not more than what is open.",
        )


def next_position(session: Session, document: Invoice | Number) -> int:
    """Return the place of what is set against the document next: 1 for the first."""
    last = session.scalar(
        select(func.max(Allocation.position)).where(same_document(Allocation, document))
    )
    return (last or 0) + 1


def allocate(
    session: Session, document: Invoice | Number, units: Cents, kind: str, entry: tuple[int, date]
) -> None:
    """Set `units` against the document; `entry` is the ledger entry that says so, and its day.

    A return is below zero.
    """
    session.add(
        Allocation(
            organisation_id=document.organisation_id,
            series=document.series,
            number=document.number,
            position=next_position(session, document),
            units=units,
            kind=kind,
            entry_number=entry[0],
            allocated_on=entry[1],
        )
    )
    session.flush()
