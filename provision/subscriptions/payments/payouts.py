"""What card providers paid out, in the books: each payment pays its invoice, and costs its fee.

The customer has paid once the provider has the money: D 5115 (what the provider owes, under the
name of the payout) and D 627 (its fee), C 411 on the day of the payment. The movement of the bank
that shows the payout takes it from 5115 (`awaited_money`). A payment that nobody can explain yet is
parked on 471. No VAT is taken out of a fee.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from provision.errors import UsageRefused
from provision.formats.payouts.payouts import PayoutRefused
from provision.money import show_euros
from provision.subscriptions.documents import allocating
from provision.subscriptions.documents.allocating import PAYMENT, REFUND
from provision.subscriptions.ledger import chart, posting
from provision.subscriptions.ledger.journal import Entry
from provision.subscriptions.parties import people
from provision.subscriptions.payments import awaited_money, booking, paying
from provision.subscriptions.payments.booking import FEE, line
from provision.subscriptions.payments.models import PARKED
from provision.subscriptions.payments.payout_models import (
    PayoutBooking,
    PayoutPaymentRow,
    PayoutRow,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.formats.payouts.payouts import Payout
    from provision.money import Cents
    from provision.subscriptions.documents.open_items import OpenItem
    from provision.subscriptions.ledger.journal import Line

AWAITED = "awaited"


@dataclass(frozen=True)
class PayoutExplained:
    """What explains a payment of a payout: `lines` come to its gross, with the other sign.

    `text` names nobody; `party` is the reference of who paid; `takes_back` the payment that it
    undoes.
    """

    kind: str
    text: str
    lines: tuple[Line, ...]
    party: str = ""
    takes_back: int | None = None


def known(session: Session, organisation_id: int, payout: Payout) -> PayoutRow | None:
    """Return a payout as it is in the books already, or None for a new one.

    Raises PayoutRefused when a payment of a new one was paid out before.
    """
    row = session.scalar(
        select(PayoutRow).where(
            PayoutRow.organisation_id == organisation_id,
            PayoutRow.provider == payout.provider,
            PayoutRow.reference == payout.reference,
        )
    )
    if row is None:
        _check_new(session, organisation_id, payout)
    return row


def was_another(row: PayoutRow) -> str:
    """Return what to say of a payout that is in the books with other payments than in a file."""
    return (
        f"The payout {row.reference} of {row.provider} was {show_euros(row.net)} with other "
        f"payments when it was brought in on {row.imported_on}"
    )


def write(
    session: Session, organisation_id: int, payout: Payout, today: date
) -> list[PayoutPaymentRow]:
    """Write a payout that is not known, and its payments, as the file has them."""
    if payout.day > today:
        raise PayoutRefused(
            f"The payout {payout.reference} is of {payout.day}: it is not there yet",
            "Bring the file in on that day or later.",
        )
    row = PayoutRow(
        organisation_id=organisation_id,
        provider=payout.provider,
        reference=payout.reference,
        paid_out_on=payout.day,
        gross=payout.gross,
        fees=payout.fees,
        net=payout.net,
        digest=payout.digest,
        imported_on=today,
    )
    session.add(row)
    session.flush()
    payments = [
        PayoutPaymentRow(
            payout_id=row.id,
            organisation_id=organisation_id,
            provider=payout.provider,
            position=position,
            reference=payment.reference,
            paid_on=payment.day,
            gross=payment.gross,
            fee=payment.fee,
            payer=payment.payer,
            what=payment.what,
        )
        for position, payment in enumerate(payout.payments, start=1)
    ]
    session.add_all(payments)
    session.flush()
    return payments


def pay(
    session: Session, row: PayoutPaymentRow, invoices: Sequence[OpenItem], today: date
) -> list[tuple[OpenItem, Cents]]:
    """Let a payment pay invoices of one customer, in this order; the rest is credit.

    Returns what each invoice got.
    """
    if row.gross <= 0:
        raise UsageRefused(f"Payment {row.id} went back to who paid it", "It pays no invoice.")
    paid = paying.shared(invoices, row.gross)
    party = invoices[0].party
    if party.startswith(people.ORGANISATION):
        raise UsageRefused(
            f"{invoices[0].shown} is for an organisation: both their books have it",
            "See: paquet settlement list",
        )
    text = f"Paiement {paid.shown}, {row.provider}"
    number = book(session, row, PayoutExplained(PAYMENT, text, paid.lines, party), today)
    paying.set_against(session, paid, (number, row.paid_on))
    return list(paid.parts)


def refund(
    session: Session,
    row: PayoutPaymentRow,
    note: OpenItem,
    today: date,
    takes_back: int | None = None,
) -> None:
    """Let a payment that went back pay back a credit note."""
    lines = paying.refunded(note, -row.gross)
    text = f"Remboursement {note.shown}, {row.provider}"
    explained = PayoutExplained(REFUND, text, lines, note.party, takes_back)
    number = book(session, row, explained, today)
    allocating.allocate(session, note.number, -row.gross, REFUND, (number, row.paid_on))


def show_awaited(
    session: Session, row: PayoutPaymentRow, typed: Sequence[str], today: date
) -> None:
    """Let a payment be what the books have already and wait for: a fee or a donation by card."""
    money = awaited_money.taken(session, row.organisation_id, typed, row.gross)
    text = f"Payé par {row.provider} : {', '.join(part.shown for part in money)}"
    lines = tuple(line(part.account, -part.units, part.reference) for part in money)
    book(session, row, PayoutExplained(AWAITED, text, lines), today)


def cost(session: Session, row: PayoutPaymentRow, today: date) -> None:
    """Book what is a fee alone."""
    book(session, row, PayoutExplained(FEE, f"Frais {row.provider}", ()), today)


def park(
    session: Session, row: PayoutPaymentRow, today: date, takes_back: int | None = None
) -> None:
    """Put a payment that nobody can explain yet on 471; one that takes such a one back, too."""
    lines = (line(chart.UNEXPLAINED, -row.gross),)
    text = f"Paiement {row.provider} à expliquer"
    book(session, row, PayoutExplained(PARKED, text, lines, takes_back=takes_back), today)


def book(session: Session, row: PayoutPaymentRow, explained: PayoutExplained, today: date) -> int:
    """Write the entry that explains a payment, once, and return its number.

    The first time what the provider owes and keeps is entered with it; what was parked is taken
    from 471. Who paid is forgotten once it is known what was paid.
    """
    parked = _check_free(session, row)
    payout = session.get_one(PayoutRow, row.payout_id)
    position = 1 if parked is None else parked.position + 1
    entry = Entry(
        organisation_id=row.organisation_id,
        effective_on=booking.open_day(session, row.organisation_id, row.paid_on),
        text=explained.text,
        key=f"payout:{row.id}:{position}",
        lines=(*(_owed(row, payout) if parked is None else _parked(row)), *explained.lines),
        piece=f"{payout.provider}-{payout.reference}",
        evidence=payout.digest,
    )
    number = posting.post(session, entry, today).number
    session.add(
        PayoutBooking(
            payment_id=row.id,
            position=position,
            organisation_id=row.organisation_id,
            kind=explained.kind,
            takes_back=explained.takes_back,
            entry_number=number,
            booked_on=today,
        )
    )
    if explained.kind != PARKED:
        row.party = explained.party
        forget_payer(row)
    session.flush()
    return number


def forget_payer(row: PayoutPaymentRow) -> None:
    """Forget who paid, and in which words; the provider still knows it by the reference."""
    row.payer = row.what = ""


def naming(session: Session) -> list[PayoutPaymentRow]:
    """Return the payments of all organisations that still say who paid, or in which words."""
    return list(
        session.scalars(
            select(PayoutPaymentRow)
            .where(or_(PayoutPaymentRow.payer != "", PayoutPaymentRow.what != ""))
            .order_by(PayoutPaymentRow.id)
        )
    )


def get(session: Session, organisation_id: int, number: int) -> PayoutPaymentRow:
    """Return the payment of this number, or raise UsageRefused."""
    row = session.get(PayoutPaymentRow, number)
    if row is None or row.organisation_id != organisation_id:
        raise UsageRefused(
            f"There is no payment {number} of a payout", "See: paquet payment payouts ORGANISATION"
        )
    return row


def is_parked(session: Session, row: PayoutPaymentRow) -> bool:
    """Tell whether nobody could explain a payment yet, and nothing took it back."""
    last = _last(session, row)
    return last is not None and last.kind == PARKED and not _is_undone(session, row, last)


def _check_new(session: Session, organisation_id: int, payout: Payout) -> None:
    """Refuse what another payout had: a payment would pay twice, a refund be taken twice.

    What was taken back may have the number of its payment, as what is taken next: it is known by it
    only where each line has its own.
    """
    there = _counted(session, organisation_id, payout)
    for payment in payout.payments:
        counts = _counts_as(payment.reference, payment.gross, payment.fee)
        if counts in there and (payment.gross > 0 or payout.own_numbers):
            raise PayoutRefused(
                f"Line {payment.line}: the payment {payment.reference} was paid out before",
                "A payment is paid out once: compare the files, and ask the provider.",
            )
        if payment.gross > 0:
            there.add(counts)


def _counted(
    session: Session, organisation_id: int, payout: Payout
) -> set[tuple[str, Cents, Cents]]:
    """Return what other payouts had, of the references of this one."""
    rows = session.execute(
        select(PayoutPaymentRow.reference, PayoutPaymentRow.gross, PayoutPaymentRow.fee).where(
            PayoutPaymentRow.organisation_id == organisation_id,
            PayoutPaymentRow.provider == payout.provider,
            PayoutPaymentRow.reference.in_({payment.reference for payment in payout.payments}),
        )
    )
    return {_counts_as(*row) for row in rows}


def _counts_as(reference: str, gross: Cents, fee: Cents) -> tuple[str, Cents, Cents]:
    """Return what there is once: a payment by its number, what is not one by its amounts too."""
    return (reference, 0, 0) if gross > 0 else (reference, gross, fee)


def _check_free(session: Session, row: PayoutPaymentRow) -> PayoutBooking | None:
    """Return the booking of a parked payment, or None; refuse one that is explained."""
    last = _last(session, row)
    if last is not None and (last.kind != PARKED or _is_undone(session, row, last)):
        raise UsageRefused(
            f"Payment {row.id} is booked already",
            f"See entry {last.entry_number} of the journal.",
        )
    return last


def _last(session: Session, row: PayoutPaymentRow) -> PayoutBooking | None:
    """Return what a payment was booked as in the end."""
    return session.scalar(
        select(PayoutBooking)
        .where(PayoutBooking.payment_id == row.id)
        .order_by(PayoutBooking.position.desc())
        .limit(1)
    )


def _is_undone(session: Session, row: PayoutPaymentRow, last: PayoutBooking) -> bool:
    """Tell whether a parked payment and the one that took it back make up for each other."""
    taken = select(func.count()).where(PayoutBooking.takes_back == row.id)
    return last.takes_back is not None or bool(session.scalar(taken))


def _owed(row: PayoutPaymentRow, payout: PayoutRow) -> tuple[Line, ...]:
    """Return what the provider owes by a payment, and keeps of it."""
    reference = awaited_money.of_payout(payout.provider, payout.reference)
    lines = []
    if row.gross != row.fee:
        lines.append(line(chart.CARD_PAYMENTS, row.gross - row.fee, reference))
    if row.fee:
        lines.append(line(chart.BANK_FEES, row.fee))
    return tuple(lines)


def _parked(row: PayoutPaymentRow) -> tuple[Line, ...]:
    return (line(chart.UNEXPLAINED, row.gross),)
