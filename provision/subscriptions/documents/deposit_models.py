"""The table of what was deducted of deposits. Only added to."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from provision.columns import DAY, STRICT, UNITS
from provision.database import Base


class DepositDeduction(Base):
    """Cents of a deposit invoice that the invoice `series`-`number` of the same issuer deducts.

    `vat` is the part of the deposit's VAT that the ledger entry takes back: the invoice has all of
    its own.
    """

    __tablename__ = "deposit_deduction"
    __table_args__ = STRICT

    organisation_id: Mapped[int] = mapped_column(primary_key=True)
    series: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    deposit_series: Mapped[str] = mapped_column(Text, primary_key=True)
    deposit_number: Mapped[int] = mapped_column(primary_key=True)
    net: Mapped[int] = mapped_column(UNITS)
    vat: Mapped[int] = mapped_column(UNITS)
    entry_number: Mapped[int]
    deducted_on: Mapped[date] = mapped_column(DAY)
