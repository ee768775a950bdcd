"""Money that customers pay, pay too much, and get back.

What pays an invoice is D 512 C 411, and an allocation. What is left over is nobody's sale: it
stays as the customer's credit on 4197, until it pays a later invoice or is paid back. No VAT is
due on it: it pays for no service yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision.errors import UsageRefused
from provision.money import show_euros
from provision.subscriptions.documents import allocating, open_items
from provision.subscriptions.documents.allocating import PAYMENT, REFUND
from provision.subscriptions.documents.drafts import CREDIT_NOTE
from provision.subscriptions.ledger import chart, journal, posting
from provision.subscriptions.ledger.journal import Entry
from provision.subscriptions.ledger.models import LedgerPosting
from provision.subscriptions.payments import answers, awaited_money, booking
from provision.subscriptions.payments.booking import Booking, line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.documents.open_items import OpenItem
    from provision.subscriptions.ledger.journal import Line
    from provision.subscriptions.payments.models import BankMovement

LONGEST_SLIP = 40


@dataclass(frozen=True)
class Cash:
    """Coins and notes for an invoice: cents, on a day; `slip` numbers the paper that proves it."""

    units: Cents
    paid_on: date
    slip: str


@dataclass(frozen=True)
class Cheque:
    """A cheque for an invoice: cents, on the day on which it was handed over, and its number."""

    units: Cents
    paid_on: date
    number: str


@dataclass(frozen=True)
class PaidParts:
    """What each invoice gets of a payment, and the ledger lines of its customer."""

    parts: tuple[tuple[OpenItem, Cents], ...]
    lines: tuple[Line, ...]

    @property
    def shown(self) -> str:
        """The numbers of the invoices that get something."""
        return ", ".join(item.shown for item, _ in self.parts)


def pay(
    session: Session, row: BankMovement, invoices: Sequence[OpenItem], today: date
) -> list[tuple[OpenItem, Cents]]:
    """Let money that came in pay invoices of one customer, in this order; the rest is credit.

    Returns what each invoice got. A debit that was running for one of them is answered by it only
    if the movement names that debit.
    """
    if row.units <= 0:
        raise UsageRefused(f"Movement {row.id} is money out", "It pays no invoice.")
    paid = shared(invoices, row.units)
    kept = Booking(PAYMENT, f"Paiement {paid.shown}", paid.lines)
    entry_number = booking.book(session, row, kept, today)
    set_against(session, paid, (entry_number, row.booked_on))
    answers.paid_alone(session, row, [item.number for item, _ in paid.parts], entry_number)
    return list(paid.parts)


def shared(invoices: Sequence[OpenItem], units: Cents) -> PaidParts:
    """Return how `units` pay invoices of one customer in this order; the rest is their credit.

    Raises UsageRefused unless something is open on each.
    """
    _check_one_party(invoices)
    for document in invoices:
        open_items.check_invoice(document)
    parts, rest = open_items.spread(invoices, units)
    lines = [line(chart.CUSTOMERS, -part, item.party) for item, part in parts]
    if rest:
        lines.append(line(chart.CUSTOMER_CREDIT, -rest, invoices[0].party))
    return PaidParts(tuple(parts), tuple(lines))


def set_against(session: Session, paid: PaidParts, entry: tuple[int, date]) -> None:
    """Set what was paid against each invoice; `entry` says so in the ledger, on its day."""
    for document, units in paid.parts:
        allocating.allocate(session, document.number, units, PAYMENT, entry)


def refund(session: Session, row: BankMovement, note: OpenItem, today: date) -> Cents:
    """Let money that went out pay back a credit note; return its cents."""
    units = _out(row)
    lines = refunded(note, units)
    entry_number = booking.book(
        session, row, Booking(REFUND, f"Remboursement {note.shown}", lines), today
    )
    allocating.allocate(session, note.number, units, REFUND, (entry_number, row.booked_on))
    return units


def refunded(note: OpenItem, units: Cents) -> tuple[Line, ...]:
    """Return the lines of paying a credit note back, or raise UsageRefused for another document.

    A refund is never more than the note.
    """
    if note.kind != CREDIT_NOTE:
        raise UsageRefused(f"{note.shown} is not a credit note", "Give the number of one.")
    if units > note.units:
        raise UsageRefused(
            f"{show_euros(units)} went out, and {show_euros(note.units)} is open on {note.shown}",
            "A refund is never more than the credit note: see what else was paid.",
        )
    return (line(chart.CUSTOMERS, units, note.party),)


def refund_credit(session: Session, row: BankMovement, party: str, today: date) -> Cents:
    """Let money that went out pay back what a customer had paid too much; return its cents."""
    units, left = _out(row), credit(session, row.organisation_id, party)
    if units > left:
        raise UsageRefused(
            f"{show_euros(units)} went out, and the customer's credit is {show_euros(left)}",
            "A refund is never more than the credit.",
        )
    lines = (line(chart.CUSTOMER_CREDIT, units, party),)
    booking.book(session, row, Booking(REFUND, "Remboursement de trop-perçu", lines), today)
    return units


def use_credit(session: Session, invoice: OpenItem, today: date) -> Cents:
    """Let what a customer had paid too much pay an invoice; return its cents."""
    open_items.check_invoice(invoice)
    number = invoice.number
    left = credit(session, number.organisation_id, invoice.party)
    units = min(left, invoice.units)
    if units <= 0:
        raise UsageRefused(f"Whoever owes {invoice.shown} has no credit", "Nothing was written.")
    entry = Entry(
        organisation_id=number.organisation_id,
        effective_on=booking.open_day(session, number.organisation_id, today),
        text=f"Trop-perçu employé {invoice.shown}",
        key=f"credit:{invoice.shown}:{invoice.gross - invoice.units}",
        lines=(
            line(chart.CUSTOMER_CREDIT, units, invoice.party),
            line(chart.CUSTOMERS, -units, invoice.party),
        ),
        piece=invoice.shown,
    )
    entry_number = posting.post(session, entry, today).number
    allocating.allocate(session, number, units, PAYMENT, (entry_number, today))
    return units


def take_cash(session: Session, invoice: OpenItem, cash: Cash, today: date) -> Cents:
    """Write down cash for an invoice (5301), once per slip; return its cents."""
    if not 1 <= len(cash.slip) <= LONGEST_SLIP:
        raise UsageRefused(f"A cash slip has a number of 1 to {LONGEST_SLIP} characters")
    taken = _Taken("Espèces", f"cash:{cash.slip}", cash.slip, line(chart.CASH, cash.units))
    return _take(session, invoice, taken, (cash.paid_on, today))


def take_cheque(session: Session, invoice: OpenItem, cheque: Cheque, today: date) -> Cents:
    """Write down a cheque for an invoice, once per number; return its cents.

    It waits on 5112 until the bank shows it (`waiting`).
    """
    reference = awaited_money.of_cheque(cheque.number)
    number = reference.removeprefix(awaited_money.CHEQUE)
    taken = _Taken("Chèque", reference, number, line(chart.CHEQUES, cheque.units, reference))
    return _take(session, invoice, taken, (cheque.paid_on, today))


@dataclass(frozen=True)
class _Taken:
    """What somebody was handed: its French name, its key, the number of the paper, its line."""

    name: str
    key: str
    piece: str
    line: Line


def _take(session: Session, invoice: OpenItem, taken: _Taken, days: tuple[date, date]) -> Cents:
    """Let what was handed over on the first of `days` pay an invoice; the second is today."""
    (paid_on, today), units = days, taken.line.amount.units
    if posting.find(session, invoice.number.organisation_id, taken.key) is not None:
        raise UsageRefused(
            f"{taken.piece} is written down already",
            "Nothing was written. If it is another one, add letters to its number.",
        )
    open_items.check_invoice(invoice)
    if not 0 < units <= invoice.units:
        raise UsageRefused(
            f"{show_euros(units)} cannot pay {invoice.shown}, on which {show_euros(invoice.units)} "
            "is open",
            "Take what is open, or less.",
        )
    if paid_on > today:
        raise UsageRefused(f"{paid_on} is not yet", "Give the day on which it was paid.")
    entry = Entry(
        organisation_id=invoice.number.organisation_id,
        effective_on=paid_on,
        text=f"{taken.name} {invoice.shown}",
        key=taken.key,
        lines=(taken.line, line(chart.CUSTOMERS, -units, invoice.party)),
        journal=journal.OTHERS,
        piece=taken.piece,
    )
    entry_number = posting.post(session, entry, today).number
    allocating.allocate(session, invoice.number, units, PAYMENT, (entry_number, paid_on))
    return units


def credit(session: Session, organisation_id: int, party: str) -> Cents:
    """Return the cents that a customer has paid too much and not used."""
    held = session.scalar(
        select(func.sum(LedgerPosting.units)).where(
            LedgerPosting.organisation_id == organisation_id,
            LedgerPosting.account == chart.CUSTOMER_CREDIT,
            LedgerPosting.party == party,
        )
    )
    return -int(held or 0)


def _out(row: BankMovement) -> Cents:
    if row.units >= 0:
        raise UsageRefused(f"Movement {row.id} is money in", "It pays nothing back.")
    return -row.units


def _check_one_party(invoices: Sequence[OpenItem]) -> None:
    if len({document.party for document in invoices}) != 1:
        raise UsageRefused(
            "A payment pays invoices of one customer", "Give at least one invoice, all of one."
        )
    if len({document.number for document in invoices}) != len(invoices):
        raise UsageRefused("An invoice is named twice", "Name each once.")
