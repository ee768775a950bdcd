"""Cheques for invoices that the bank refused, or that were typed on the wrong invoice: undone.

What the bank had shown comes back first (D 5112 C 512); then the cheque pays nothing any more
(D 411 C 5112), and the invoice is open again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.errors import UsageRefused
from provision.formats.facturx import texts
from provision.money import show_euros
from provision.subscriptions.documents import allocating, open_items
from provision.subscriptions.documents.allocating import PAYMENT, RETURN
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.documents.models import Allocation
from provision.subscriptions.ledger import chart, journal, posting
from provision.subscriptions.ledger.journal import Entry
from provision.subscriptions.payments import awaited_money, booking
from provision.subscriptions.payments.booking import Booking, line

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.documents.open_items import OpenItem
    from provision.subscriptions.ledger.journal import Line
    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.payments.models import BankMovement

LONGEST_WHY = 100


@dataclass(frozen=True)
class Paid:
    """What a cheque pays: cents of an invoice, since a day; `reference` is how it is named."""

    reference: str
    invoice: OpenItem
    units: Cents
    on: date

    @property
    def key(self) -> str:
        """What the entry that takes it back is written under, once."""
        return f"unpaid:{self.reference}"

    @property
    def text(self) -> str:
        """What the journal says when it is taken back."""
        return f"Reprise du chèque {self.reference.removeprefix(awaited_money.CHEQUE)}"


def find(session: Session, organisation: Organisation, typed: str) -> Paid:
    """Return what a cheque pays, or raise UsageRefused for one that pays no invoice (any more)."""
    reference = awaited_money.of_cheque(typed)
    entry = posting.find(session, organisation.id, reference)
    row = session.scalar(
        select(Allocation).where(
            Allocation.organisation_id == organisation.id,
            Allocation.entry_number == (entry.number if entry else None),
            Allocation.kind == PAYMENT,
        )
    )
    if row is None:
        raise UsageRefused(
            f"No invoice of {organisation.name} was paid by {reference}",
            "The cheque of a fee or a donation: paquet receipt cancel",
        )
    number = Number(row.organisation_id, row.series, row.number)
    paid = Paid(reference, open_items.of(session, number), row.units, row.allocated_on)
    if posting.find(session, organisation.id, paid.key) is not None:
        raise UsageRefused(f"{reference} is taken back already", "Nothing was written.")
    return paid


def take_back(
    session: Session, cheque: Paid, row: BankMovement | None, why: str, today: date
) -> Cents:
    """Undo a cheque, and open its invoice again; return what the bank took beyond it, its fee.

    `row` is the movement by which the bank took it back, once it had shown it. `why` names nobody.
    Raises UsageRefused when the cheque is elsewhere than that says.
    """
    texts.check_name(why, "reason")
    texts.check_line(why, "reason", LONGEST_WHY)
    fee, on = 0, today
    if row is not None:
        fee, on = _by_movement(session, cheque, row, why, today), row.booked_on
    elif not _waits(session, cheque):
        _by_hand(session, cheque, today)
    lines = (
        line(chart.CUSTOMERS, cheque.units, cheque.invoice.party),
        line(chart.CHEQUES, -cheque.units, cheque.reference),
    )
    text = f"{cheque.text}, {cheque.invoice.shown} : {why}"
    entry = _entry(session, cheque, (cheque.key, text), lines, on)
    entry_number = posting.post(session, entry, today).number
    allocating.allocate(session, cheque.invoice.number, -cheque.units, RETURN, (entry_number, on))
    return fee


def _by_movement(session: Session, cheque: Paid, row: BankMovement, why: str, today: date) -> Cents:
    """Book the movement that took a cheque back, and return the fee that is in it."""
    if _waits(session, cheque):
        raise UsageRefused(
            f"The bank has not shown {cheque.reference} yet: it cannot take it back",
            "Match the movement that brought it first, or leave --movement out.",
        )
    if row.booked_on < cheque.on:
        raise UsageRefused(
            f"Movement {row.id} is of {row.booked_on}, and {cheque.reference} of {cheque.on}",
            "Name the movement that took it back.",
        )
    fee = -row.units - cheque.units
    if fee < 0:
        raise UsageRefused(
            f"Movement {row.id} is {show_euros(row.units)}, and {cheque.reference} was "
            f"{show_euros(cheque.units)}",
            "A cheque comes back whole; what the bank takes beyond is its fee.",
        )
    lines = [line(chart.CHEQUES, cheque.units, cheque.reference)]
    if fee:
        lines.append(line(chart.BANK_FEES, fee))
    booking.book(session, row, Booking(RETURN, cheque.text, tuple(lines), why), today)
    return fee


def _by_hand(session: Session, cheque: Paid, today: date) -> None:
    """Write that the bank took a cheque back, where no statements are brought in."""
    organisation_id = cheque.invoice.number.organisation_id
    if awaited_money.place(session, organisation_id, "")[0] != chart.BANK:
        raise UsageRefused(
            f"The bank has shown {cheque.reference}: a movement takes it back",
            "Name it: --movement. See: paquet payment reconcile ORGANISATION",
        )
    lines = (
        line(chart.CHEQUES, cheque.units, cheque.reference),
        line(chart.BANK, -cheque.units),
    )
    words = (f"{cheque.key}:bank", cheque.text)
    posting.post(session, _entry(session, cheque, words, lines, today), today)


def _entry(
    session: Session, cheque: Paid, words: tuple[str, str], lines: tuple[Line, ...], on: date
) -> Entry:
    """Return an entry of this key and text (`words`) on a day, or the first open one after it."""
    organisation_id = cheque.invoice.number.organisation_id
    key, text = words
    return Entry(
        organisation_id=organisation_id,
        effective_on=booking.open_day(session, organisation_id, on),
        text=text,
        key=key,
        lines=lines,
        journal=journal.BANK if lines[-1].account == chart.BANK else journal.OTHERS,
        piece=cheque.reference.removeprefix(awaited_money.CHEQUE),
    )


def _waits(session: Session, cheque: Paid) -> bool:
    organisation_id = cheque.invoice.number.organisation_id
    left = posting.party_units(session, organisation_id, chart.CHEQUES, cheque.reference)
    return left == cheque.units
