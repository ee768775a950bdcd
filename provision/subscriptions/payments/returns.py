"""Debits that came back: the payment is undone, and the invoice is open again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision.errors import UsageRefused
from provision.formats.bank import reasons
from provision.money import show_euros
from provision.registry.states import Told
from provision.subscriptions.documents import allocating, open_items
from provision.subscriptions.documents.allocating import RECLAIM, RETURN
from provision.subscriptions.documents.models import Allocation, same_document
from provision.subscriptions.ledger import chart
from provision.subscriptions.payments import answers, booking, mandates, paying
from provision.subscriptions.payments.booking import Booking, line
from provision.subscriptions.payments.models import CollectionAnswer, MandateRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.documents.open_items import OpenItem
    from provision.subscriptions.ledger.journal import Line
    from provision.subscriptions.payments.models import BankMovement, CollectionItem


@dataclass(frozen=True)
class CameBack:
    """A debit that came back: its reference, the cents that it was, and the bank's reason."""

    end_to_end: str
    units: Cents
    reason: str = ""


def take_back(
    session: Session,
    row: BankMovement,
    debits: Sequence[CameBack],
    when: tuple[date, Told],
) -> Cents:
    """Undo debits that came back with a movement; what the bank took beyond them is its fee.

    The invoices are open again. Mandates end where the reason says that nothing more may be
    collected under them. Returns the fee in cents.
    """
    today, told = when
    taken = sum(back.units for back in debits)
    fee = -row.units - taken
    if not debits or fee < 0:
        raise UsageRefused(
            f"Movement {row.id} took {show_euros(-row.units)}, "
            f"and the debits were {show_euros(taken)}",
            "Name the debits that came back with it, and no other.",
        )
    if len({back.end_to_end for back in debits}) != len(debits):
        raise UsageRefused("A debit is named twice", "It comes back once.")
    by_debit = answers.by_debit(answers.paid(session, row.organisation_id))
    credit = _Credit(session, row.organisation_id)
    undone = [
        (_undone(session, item, credit), debit)
        for debit in debits
        for item in _whole(by_debit.get(debit.end_to_end, []), debit)
    ]
    lines = [part for returned, _debit in undone for part in returned.lines]
    if fee:
        lines.append(line(chart.BANK_FEES, fee))
    text = f"Rejet {', '.join(back.end_to_end for back in debits)}"
    entry_number = booking.book(session, row, Booking(RETURN, text, tuple(lines)), today)
    for returned, debit in undone:
        entry = (entry_number, row.booked_on)
        for units, kind in ((returned.units, RETURN), (returned.reclaimed, RECLAIM)):
            if units:
                allocating.allocate(session, returned.document.number, -units, kind, entry)
        answers.answer(
            session, returned.item, (answers.RETURNED, debit.reason), entry_number, row.booked_on
        )
        _void(session, returned.item, debit.reason, (row.booked_on, told))
    return fee


@dataclass(frozen=True)
class _Undone:
    """An invoice whose debit comes back, the cents that it loses, and its ledger lines.

    `reclaimed` are the cents that had been too much, and are with the customer already.
    """

    item: CollectionItem
    document: OpenItem
    units: Cents
    reclaimed: Cents
    lines: tuple[Line, ...]


@dataclass
class _Credit:
    """What customers have on 4197 while debits of one movement come back, read once for each."""

    session: Session
    organisation_id: int
    left: dict[str, Cents] = field(default_factory=dict)

    def take(self, party: str, units: Cents) -> Cents:
        """Take up to `units` of a customer's credit, and return how much there was."""
        if party not in self.left:
            self.left[party] = paying.credit(self.session, self.organisation_id, party)
        taken = max(min(units, self.left[party]), 0)
        self.left[party] -= taken
        return taken


def _whole(items: Sequence[CollectionItem], debit: CameBack) -> Sequence[CollectionItem]:
    """Return what a debit paid, or raise UsageRefused unless all of it came back."""
    if not items:
        raise UsageRefused(
            f"The debit {debit.end_to_end[:40]!r} is not one that was paid",
            "Book the credit of its batch first: paquet payment match",
        )
    units = sum(item.units for item in items)
    if debit.units != units:
        raise UsageRefused(
            f"The debit {debit.end_to_end} was {show_euros(units)}, and {show_euros(debit.units)} "
            "came back",
            "A debit comes back whole; what the bank takes beyond is its fee.",
        )
    return items


def _undone(session: Session, item: CollectionItem, credit: _Credit) -> _Undone:
    """Return what comes back of an invoice's part, then of the credit that the part had left.

    Where that credit was paid back or used, the invoice asks for it again, as far as it can: what a
    customer owes is open on a document.
    """
    number = answers.number_of(item)
    document = open_items.of(session, number)
    answer = session.get_one(CollectionAnswer, (item.organisation_id, item.end_to_end, 1))
    set_against = session.scalar(
        select(func.sum(Allocation.units)).where(
            same_document(Allocation, number),
            Allocation.entry_number == answer.entry_number,
        )
    )
    units = int(set_against or 0)
    beyond = item.units - units
    missing = beyond - credit.take(document.party, beyond)
    reclaimed = min(missing, document.gross - document.units - units)
    amounts = (
        (chart.CUSTOMERS, units + reclaimed),
        (chart.CUSTOMER_CREDIT, beyond - reclaimed),
    )
    lines = tuple(line(account, part, document.party) for account, part in amounts if part)
    return _Undone(item, document, units, reclaimed, lines)


def _void(session: Session, item: CollectionItem, code: str, when: tuple[date, Told]) -> None:
    """End the mandate of a debit whose reason says so."""
    on, told = when
    reason = reasons.explain(code)
    if reason.voids_mandate:
        row = session.get_one(MandateRow, item.mandate_id)
        mandates.end(session, row, on, Told(told.actor, told.at, f"{code}: {reason.en}"))
