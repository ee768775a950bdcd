"""The tables of what card providers paid out. Only added to, but for who paid."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from provision.columns import DAY, STRICT, UNITS
from provision.database import Base
from provision.subscriptions.ledger.models import Entered


class PayoutRow(Base):
    """A `payouts.Payout` of a provider, in cents; `digest` is that of the money in it."""

    __tablename__ = "payout"
    __table_args__ = STRICT

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    provider: Mapped[str] = mapped_column(Text)
    reference: Mapped[str] = mapped_column(Text)
    paid_out_on: Mapped[date] = mapped_column(DAY)
    gross: Mapped[int] = mapped_column(UNITS)
    fees: Mapped[int] = mapped_column(UNITS)
    net: Mapped[int] = mapped_column(UNITS)
    digest: Mapped[str] = mapped_column(Text)
    imported_on: Mapped[date] = mapped_column(DAY)


class PayoutPaymentRow(Base):
    """One payment of a payout; below zero it went back.

    Until it is explained or made up for, `payer` and `what` say what the provider said of it; then
    they are empty, and `party` is the ledger's reference of who paid.
    """

    __tablename__ = "payout_payment"
    __table_args__ = STRICT

    id: Mapped[int] = mapped_column(primary_key=True)
    payout_id: Mapped[int] = mapped_column(ForeignKey("payout.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    provider: Mapped[str] = mapped_column(Text)
    position: Mapped[int]
    reference: Mapped[str] = mapped_column(Text)
    paid_on: Mapped[date] = mapped_column(DAY)
    gross: Mapped[int] = mapped_column(UNITS)
    fee: Mapped[int] = mapped_column(UNITS)
    party: Mapped[str] = mapped_column(Text, default="")
    payer: Mapped[str] = mapped_column(Text, default="")
    what: Mapped[str] = mapped_column(Text, default="")


class PayoutBooking(Entered, Base):
    """What a payment was booked as; one that was 'parked' may be explained by a second row.

    `takes_back` is the payment that a refund or a chargeback undoes.
    """

    __tablename__ = "payout_booking"
    __table_args__ = STRICT

    payment_id: Mapped[int] = mapped_column(ForeignKey("payout_payment.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[str] = mapped_column(Text)
    takes_back: Mapped[int | None] = mapped_column(ForeignKey("payout_payment.id"))
    booked_on: Mapped[date] = mapped_column(DAY)
