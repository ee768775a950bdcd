"""The tables of funds, promises, time, local currencies and barter. Rows are only added."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from provision.columns import DAY, STRICT, UNITS
from provision.database import Base
from provision.subscriptions.ledger.models import Entered
from provision.subscriptions.parties.models import Organisation


class PromisedDebt(Base):
    """A contributive debt: what an organisation owes those who built what it lives on.

    `minutes` says where it was decided.
    """

    __tablename__ = "promised_debt"
    __table_args__ = STRICT

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    creditor: Mapped[str] = mapped_column(Text)
    purpose: Mapped[str] = mapped_column(Text)
    units: Mapped[int] = mapped_column(UNITS)
    minutes: Mapped[str] = mapped_column(Text)
    recorded_on: Mapped[date] = mapped_column(DAY)

    organisation: Mapped[Organisation] = relationship()


class DebtPayment(Entered, Base):
    """A part of a promised debt that was paid."""

    __tablename__ = "debt_payment"
    __table_args__ = STRICT

    debt_id: Mapped[int] = mapped_column(ForeignKey("promised_debt.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    units: Mapped[int] = mapped_column(UNITS)
    paid_on: Mapped[date] = mapped_column(DAY)


class ReciprocityContract(Base):
    """The part of its revenue that a giver means to give back from a day on; nobody can claim it.

    `basis_points` are hundredths of a percent; 0 ends it.
    """

    __tablename__ = "reciprocity_contract"
    __table_args__ = STRICT

    giver_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    receiver_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    valid_from: Mapped[date] = mapped_column(DAY, primary_key=True)
    basis_points: Mapped[int]
    minutes: Mapped[str] = mapped_column(Text)

    giver: Mapped[Organisation] = relationship(foreign_keys=[giver_id])
    receiver: Mapped[Organisation] = relationship(foreign_keys=[receiver_id])


class TimeGiven(Entered, Base):
    """Time that somebody gave to an organisation; `giver` is a reference, or empty."""

    __tablename__ = "time_given"
    __table_args__ = STRICT

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    giver: Mapped[str] = mapped_column(Text)
    seconds: Mapped[int]
    purpose: Mapped[str] = mapped_column(Text)
    given_on: Mapped[date] = mapped_column(DAY)


class HourValue(Base):
    """What an organisation takes an hour for, in cents, from a day on; never in its books."""

    __tablename__ = "hour_value"
    __table_args__ = STRICT

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    valid_from: Mapped[date] = mapped_column(DAY, primary_key=True)
    units: Mapped[int] = mapped_column(UNITS)


class LocalCurrency(Base):
    """A local currency that is accepted, one for one euro, and who issues it."""

    __tablename__ = "local_currency"
    __table_args__ = STRICT

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    issuer_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))

    issuer: Mapped[Organisation] = relationship()


class BarterAgreement(Base):
    """What a customer gives instead of euros: pieces of an agreed value, in cents each."""

    __tablename__ = "barter_agreement"
    __table_args__ = STRICT

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    party: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    quantity: Mapped[int]
    piece_units: Mapped[int] = mapped_column(UNITS)
    agreed_on: Mapped[date] = mapped_column(DAY)


class BarterDelivery(Entered, Base):
    """Pieces of an agreement that came and paid for an invoice."""

    __tablename__ = "barter_delivery"
    __table_args__ = STRICT

    agreement_id: Mapped[int] = mapped_column(ForeignKey("barter_agreement.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    quantity: Mapped[int]
    delivered_on: Mapped[date] = mapped_column(DAY)
