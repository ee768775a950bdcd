"""Debits that came back: the payment is undone, and the invoice is open again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision.errors import UsageRefused
from provision.formats.bank import reasons
from provision.money import show_euros
from provision.registry.states import Told
from provision.subscriptions.documents import open_items
from provision.subscriptions.documents.allocating import RETURN
from provision.subscriptions.documents.models import Allocation, same_document
from provision.subscriptions.ledger import chart
from provision.subscriptions.payments import answers, booking, mandates, reopening
from provision.subscriptions.payments.booking import Booking, line
from provision.subscriptions.payments.models import CollectionAnswer, MandateRow
from provision.subscriptions.payments.reopening import CreditLeft

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.payments.models import BankMovement, CollectionItem
    from provision.subscriptions.payments.reopening import Reopening


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
    credit = CreditLeft(session, row.organisation_id)
    undone = [
        (_reopening(session, item, credit), item, debit.reason)
        for debit in debits
        for item in _whole(by_debit.get(debit.end_to_end, []), debit)
    ]
    lines = [part for reopened, _item, _reason in undone for part in reopened.lines]
    if fee:
        lines.append(line(chart.BANK_FEES, fee))
    text = f"Rejet {', '.join(back.end_to_end for back in debits)}"
    entry = (booking.book(session, row, Booking(RETURN, text, tuple(lines)), today), row.booked_on)
    for reopened, item, reason in undone:
        reopening.reopen(session, reopened, entry)
        answers.answer(session, item, (answers.RETURNED, reason), *entry)
        _void(session, item, reason, (row.booked_on, told))
    return fee


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


def _reopening(session: Session, item: CollectionItem, credit: CreditLeft) -> Reopening:
    """Return what comes back of an invoice's part of a debit, and of the credit that it left."""
    number = answers.number_of(item)
    answer = session.get_one(CollectionAnswer, (item.organisation_id, item.end_to_end, 1))
    set_against = session.scalar(
        select(func.sum(Allocation.units)).where(
            same_document(Allocation, number),
            Allocation.entry_number == answer.entry_number,
        )
    )
    units = int(set_against or 0)
    return reopening.reopening(open_items.of(session, number), units, item.units - units, credit)


def _void(session: Session, item: CollectionItem, code: str, when: tuple[date, Told]) -> None:
    """End the mandate of a debit whose reason says so."""
    on, told = when
    reason = reasons.explain(code)
    if reason.voids_mandate:
        row = session.get_one(MandateRow, item.mandate_id)
        mandates.end(session, row, on, Told(told.actor, told.at, f"{code}: {reason.en}"))
