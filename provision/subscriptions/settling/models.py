"""The tables of mandates and of what a settlement is made of. Rows are only added."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from provision.columns import DAY, STRICT, UNITS
from provision.database import Base
from provision.subscriptions.ledger.models import Entered


class SelfBillingMandate(Base):
    """That a beneficiary lets a seller make its invoices from a day on, or no longer.

    `given_by` names an office, never a person; `contest_days` is how long a document may be
    contested.
    """

    __tablename__ = "self_billing_mandate"
    __table_args__ = STRICT

    beneficiary_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    seller_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    valid_from: Mapped[date] = mapped_column(DAY, primary_key=True)
    state: Mapped[str] = mapped_column(Text)
    contest_days: Mapped[int]
    given_by: Mapped[str] = mapped_column(Text)
    recorded_on: Mapped[date] = mapped_column(DAY)


class SettlementPart(Base):
    """What a settlement owes under one mode, for lines of one role, to one fund or to none."""

    __tablename__ = "settlement_part"
    __table_args__ = STRICT

    seller_id: Mapped[int] = mapped_column(primary_key=True)
    beneficiary_id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    mode: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    fund_id: Mapped[int | None] = mapped_column(ForeignKey("fund.id"))
    units: Mapped[int] = mapped_column(UNITS)


class FundMovement(Entered, Base):
    """What came into a fund (a share) or left it; `entry_number` is in its custodian's journal."""

    __tablename__ = "fund_movement"
    __table_args__ = STRICT

    fund_id: Mapped[int] = mapped_column(ForeignKey("fund.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    units: Mapped[int] = mapped_column(UNITS)
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("fund_decision.id"))
    moved_on: Mapped[date] = mapped_column(DAY)
