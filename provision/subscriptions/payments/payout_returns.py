"""Card payments that went back (refunds, chargebacks): found, and undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from provision.errors import UsageRefused
from provision.formats.bank.candidates import WORD
from provision.money import show_euros
from provision.subscriptions.documents import numbering, open_items
from provision.subscriptions.documents.allocating import PAYMENT, RETURN
from provision.subscriptions.documents.drafts import CREDIT_NOTE
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.documents.models import Allocation, Invoice
from provision.subscriptions.payments import payouts, reopening
from provision.subscriptions.payments.payout_models import PayoutBooking, PayoutPaymentRow
from provision.subscriptions.payments.payouts import PayoutExplained
from provision.subscriptions.payments.reopening import CreditLeft

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import date

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.documents.open_items import OpenItem


def taken_back(session: Session, row: PayoutPaymentRow) -> PayoutPaymentRow | None:
    """Return the payment that this one takes back, if its words name one alone that has so much.

    It is named by its own reference (some providers give a refund that of its payment), or by the
    invoice that it paid.
    """
    words = {row.reference, *WORD.findall(row.what)}
    named = list(session.scalars(_paid(row).where(PayoutPaymentRow.reference.in_(words))))
    if not named:
        named = _payments_of(session, row, [word for word in words if _is_number(word)])
    fitting = [payment for payment in named if -row.gross <= left(session, payment)]
    return fitting[0] if len(fitting) == 1 else None


def take_back(session: Session, row: PayoutPaymentRow, paid: PayoutPaymentRow, today: date) -> None:
    """Undo a payment, or a part of it: what it paid is open again, as after a return of the bank.

    What was too much goes first, then what was paid last. A credit note that waits for this refund
    is paid back by it. One that nobody could explain makes up for its payment on 471, whole.
    """
    units, there = -row.gross, left(session, paid)
    if units > there:
        raise UsageRefused(
            f"{show_euros(units)} went back, and {show_euros(there)} are left of payment {paid.id}",
            "Name the payment, or the invoice, that it takes back.",
        )
    parts = _parts(session, paid)
    if not parts:
        _park(session, row, paid, today)
        return
    beyond = min(units, max(0, there - sum(part for _, part in parts)))
    note = _note(session, parts[0][0], units) if len(parts) == 1 and not beyond else None
    if note is not None:
        payouts.refund(session, row, note, today, paid.id)
        return
    _reopen(session, row, paid, (_spread(parts, units - beyond), beyond), today)


def pay_back(session: Session, row: PayoutPaymentRow, note: OpenItem, today: date) -> None:
    """Pay a credit note back by a payment that went back: of the invoice, so much less is left."""
    credited = session.execute(
        select(Invoice.credited_series, Invoice.credited_number).where(
            Invoice.organisation_id == note.number.organisation_id,
            Invoice.series == note.number.series,
            Invoice.number == note.number.number,
        )
    )
    shown = [numbering.shown(series, number) for series, number in credited if series and number]
    paid = _fitting(session, row, shown)
    named = taken_back(session, row)
    chosen = named if named in paid else next(reversed(paid), None)
    payouts.refund(session, row, note, today, chosen.id if chosen else None)


def find(session: Session, row: PayoutPaymentRow, document: OpenItem) -> PayoutPaymentRow:
    """Return the payment of an invoice that this one takes back, or raise UsageRefused."""
    fitting = _fitting(session, row, [document.shown])
    if not fitting:
        raise UsageRefused(
            f"No payment of {row.provider} paid {show_euros(-row.gross)} of {document.shown}",
            "Name the invoice, or the credit note, that it is about.",
        )
    return fitting[-1]


def left(session: Session, paid: PayoutPaymentRow) -> Cents:
    """Return what did not go back yet of a payment, in cents."""
    returned = (
        select(func.sum(PayoutPaymentRow.gross))
        .join(PayoutBooking, PayoutBooking.payment_id == PayoutPaymentRow.id)
        .where(PayoutBooking.takes_back == paid.id)
    )
    return paid.gross + int(session.scalar(returned) or 0)


def _fitting(
    session: Session, row: PayoutPaymentRow, shown: Iterable[str]
) -> list[PayoutPaymentRow]:
    """Return the payments of these invoices of which so much is left, the oldest first."""
    payments = _payments_of(session, row, shown)
    return [payment for payment in payments if -row.gross <= left(session, payment)]


def _park(session: Session, row: PayoutPaymentRow, paid: PayoutPaymentRow, today: date) -> None:
    """Put what went back of a parked payment beside it; whole, neither is explained any more."""
    whole = -row.gross == paid.gross and payouts.is_parked(session, paid)
    payouts.park(session, row, today, paid.id if whole else None)
    if whole:
        for settled in (row, paid):
            payouts.forget_payer(settled)
        session.flush()


def _reopen(
    session: Session,
    row: PayoutPaymentRow,
    paid: PayoutPaymentRow,
    gone: tuple[list[tuple[OpenItem, Cents]], Cents],
    today: date,
) -> None:
    """Open invoices again, and take what had been `beyond` them, by one entry."""
    parts, beyond = gone
    credit = CreditLeft(session, row.organisation_id)
    reopened = [
        reopening.reopening(document, part, beyond if place == 0 else 0, credit)
        for place, (document, part) in enumerate(parts)
    ]
    numbers = ", ".join(document.shown for document, _ in parts)
    explained = PayoutExplained(
        kind=RETURN,
        text=f"Repris par {row.provider} : {numbers}",
        lines=tuple(line for part in reopened for line in part.lines),
        party=paid.party,
        takes_back=paid.id,
    )
    entry = (payouts.book(session, row, explained, today), row.paid_on)
    for part in reopened:
        reopening.reopen(session, part, entry)


def _parts(session: Session, paid: PayoutPaymentRow) -> list[tuple[OpenItem, Cents]]:
    """Return what a payment still pays of each invoice, as they are numbered."""
    entries = select(PayoutBooking.entry_number).where(
        or_(PayoutBooking.payment_id == paid.id, PayoutBooking.takes_back == paid.id)
    )
    rows = session.execute(
        select(Allocation.series, Allocation.number, func.sum(Allocation.units))
        .where(
            Allocation.organisation_id == paid.organisation_id,
            Allocation.entry_number.in_(entries),
            Allocation.kind.in_((PAYMENT, RETURN)),
        )
        .group_by(Allocation.series, Allocation.number)
        .order_by(Allocation.series, Allocation.number)
    )
    return [
        (open_items.of(session, Number(paid.organisation_id, series, number)), int(units))
        for series, number, units in rows
    ]


def _spread(parts: list[tuple[OpenItem, Cents]], units: Cents) -> list[tuple[OpenItem, Cents]]:
    """Return what each loses: the last first. The first stays, for what had been too much."""
    gone = []
    for document, part in reversed(parts):
        lost = min(part, units)
        units -= lost
        gone.append((document, lost))
    kept = [(document, lost) for document, lost in reversed(gone) if lost]
    return kept or [(parts[0][0], 0)]


def _note(session: Session, document: OpenItem, units: Cents) -> OpenItem | None:
    """Return the credit note of an invoice that waits for a refund of so much."""
    numbers = session.execute(
        select(Invoice.series, Invoice.number).where(
            Invoice.organisation_id == document.number.organisation_id,
            Invoice.kind == CREDIT_NOTE,
            Invoice.credited_series == document.number.series,
            Invoice.credited_number == document.number.number,
            open_items.left() >= units,
        )
    ).all()
    if len(numbers) != 1:
        return None
    return open_items.of(session, Number(document.number.organisation_id, *numbers[0]))


def _payments_of(
    session: Session, row: PayoutPaymentRow, shown: Iterable[str]
) -> list[PayoutPaymentRow]:
    """Return the payments of that provider that paid one of these invoices, the oldest first."""
    numbers = [numbering.parse(word) for word in shown]
    entries = [
        entry
        for series, number in numbers
        for entry in session.scalars(
            select(Allocation.entry_number).where(
                Allocation.organisation_id == row.organisation_id,
                Allocation.series == series,
                Allocation.number == number,
                Allocation.kind == PAYMENT,
            )
        )
    ]
    return list(session.scalars(_booked_in(row, entries)))


def _booked_in(row: PayoutPaymentRow, entries: Collection[int]) -> Select[PayoutPaymentRow]:
    return (
        _paid(row)
        .join(PayoutBooking, PayoutBooking.payment_id == PayoutPaymentRow.id)
        .where(PayoutBooking.entry_number.in_(entries))
    )


def _paid(row: PayoutPaymentRow) -> Select[PayoutPaymentRow]:
    """Ask for what customers paid by the provider of a payment."""
    return (
        select(PayoutPaymentRow)
        .where(
            PayoutPaymentRow.organisation_id == row.organisation_id,
            PayoutPaymentRow.provider == row.provider,
            PayoutPaymentRow.gross > 0,
            PayoutPaymentRow.id != row.id,
        )
        .order_by(PayoutPaymentRow.id)
    )


def _is_number(word: str) -> bool:
    return numbering.SHOWN.fullmatch(word.upper()) is not None
