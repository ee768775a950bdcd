"""Payouts as people look at them: what still waits for the bank, and what nobody could explain."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from provision.subscriptions.documents import numbering
from provision.subscriptions.documents.models import Allocation
from provision.subscriptions.payments import awaited_money
from provision.subscriptions.payments.models import PARKED
from provision.subscriptions.payments.payout_models import (
    PayoutBooking,
    PayoutPaymentRow,
    PayoutRow,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from provision.money import Cents


@dataclass(frozen=True)
class PayoutState:
    """A payout, how many payments it is made of, and what waits of it, in cents.

    `shown` is how people name it to the bank's movement; `unexplained` is parked on 471.
    """

    row: PayoutRow
    payments: int
    unexplained: Cents
    waits: Cents

    @property
    def shown(self) -> str:
        """The name under which it waits for the bank."""
        return awaited_money.of_payout(self.row.provider, self.row.reference)


def everyone(session: Session, organisation_id: int) -> list[PayoutState]:
    """Return the payouts of an organisation, the latest first."""
    waits = {
        money.reference: money.units for money in awaited_money.everything(session, organisation_id)
    }
    unexplained: Counter[int] = Counter()
    for payment in parked(session, organisation_id):
        unexplained[payment.payout_id] += payment.gross
    count = (
        select(func.count())
        .where(PayoutPaymentRow.payout_id == PayoutRow.id)
        .correlate(PayoutRow)
        .scalar_subquery()
    )
    rows = session.execute(
        select(PayoutRow, count)
        .where(PayoutRow.organisation_id == organisation_id)
        .order_by(PayoutRow.paid_out_on.desc(), PayoutRow.id.desc())
    )
    return [
        PayoutState(
            row=row,
            payments=payments,
            unexplained=unexplained[row.id],
            waits=waits.get(awaited_money.of_payout(row.provider, row.reference), 0),
        )
        for row, payments in rows
    ]


def parked(session: Session, organisation_id: int) -> list[PayoutPaymentRow]:
    """Return the payments that nobody could explain yet, and that nothing took back."""
    later, taker = aliased(PayoutBooking), aliased(PayoutBooking)
    return list(
        session.scalars(
            select(PayoutPaymentRow)
            .join(PayoutBooking, PayoutBooking.payment_id == PayoutPaymentRow.id)
            .where(
                PayoutPaymentRow.organisation_id == organisation_id,
                PayoutBooking.kind == PARKED,
                PayoutBooking.takes_back.is_(None),
                ~select(later.position)
                .where(later.payment_id == PayoutPaymentRow.id, later.position > 1)
                .exists(),
                ~select(taker.position).where(taker.takes_back == PayoutPaymentRow.id).exists(),
            )
            .order_by(PayoutPaymentRow.id)
        )
    )


def documents(session: Session, rows: Sequence[PayoutPaymentRow]) -> dict[int, list[str]]:
    """Return the numbers of the documents that each payment paid, refunded or opened again."""
    booked = session.execute(
        select(PayoutBooking.payment_id, Allocation.series, Allocation.number)
        .join(
            Allocation,
            (Allocation.organisation_id == PayoutBooking.organisation_id)
            & (Allocation.entry_number == PayoutBooking.entry_number),
        )
        .where(PayoutBooking.payment_id.in_([row.id for row in rows]))
        .order_by(Allocation.series, Allocation.number)
    )
    numbers: dict[int, list[str]] = {}
    for payment_id, series, number in booked:
        numbers.setdefault(payment_id, []).append(numbering.shown(series, number))
    return numbers


def kinds(session: Session, rows: Sequence[PayoutPaymentRow]) -> dict[int, str]:
    """Return what each payment was booked as in the end."""
    booked = session.execute(
        select(PayoutBooking.payment_id, PayoutBooking.kind)
        .where(PayoutBooking.payment_id.in_([row.id for row in rows]))
        .order_by(PayoutBooking.position)
    )
    return {row.payment_id: row.kind for row in booked}
