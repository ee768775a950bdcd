"""The tables of invoices, of what is set against them, and of settlements. Only added to."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import ForeignKey, Text, and_
from sqlalchemy.orm import Mapped, mapped_column

from provision.columns import DAY, STRICT, UNITS
from provision.database import Base
from provision.subscriptions.ledger.models import Entered

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement


def same_document(document: Any, other: Any) -> ColumnElement[bool]:  # noqa: ANN401 (tables, subqueries, rows, numbers)
    """Return the condition that both are of one document: its three columns are equal."""
    return and_(
        document.organisation_id == other.organisation_id,
        document.series == other.series,
        document.number == other.number,
    )


class DocumentKey:
    """What a row is about: a document, by who issued it, its series, and its number in there.

    These columns come first, also in the primary key.
    """

    organisation_id: Mapped[int] = mapped_column(primary_key=True, sort_order=-3)
    series: Mapped[str] = mapped_column(Text, primary_key=True, sort_order=-2)
    number: Mapped[int] = mapped_column(primary_key=True, sort_order=-1)


class IssuedKey:
    """The same of the document itself: its issuer is one of the organisations."""

    organisation_id: Mapped[int] = mapped_column(
        ForeignKey("organisation.id"), primary_key=True, sort_order=-3
    )
    series: Mapped[str] = mapped_column(Text, primary_key=True, sort_order=-2)
    number: Mapped[int] = mapped_column(primary_key=True, sort_order=-1)


class BillingRun(Base):
    """A day on which all that was due is billed; an open one is finished before another begins."""

    __tablename__ = "billing_run"
    __table_args__ = STRICT

    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(DAY)
    state: Mapped[str] = mapped_column(Text, default="open")


class Invoice(IssuedKey, Entered, Base):
    """An invoice or a credit note of `organisation_id`; `number` has no gaps in its series.

    A credit note's amounts are above zero, and it says which invoice it credits. `party` is the
    ledger's reference of who pays; `identity_id` says who that was on the day.
    """

    __tablename__ = "invoice"
    __table_args__ = STRICT

    key: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    issued_on: Mapped[date] = mapped_column(DAY)
    due_on: Mapped[date] = mapped_column(DAY)
    party: Mapped[str] = mapped_column(Text)
    identity_id: Mapped[int | None]
    subscription_id: Mapped[int | None] = mapped_column(ForeignKey("subscription.id"))
    net: Mapped[int] = mapped_column(UNITS)
    vat: Mapped[int] = mapped_column(UNITS)
    gross: Mapped[int] = mapped_column(UNITS)
    credited_series: Mapped[str | None] = mapped_column(Text)
    credited_number: Mapped[int | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    digest: Mapped[str] = mapped_column(Text)


class InvoiceLine(DocumentKey, Base):
    """One line: `net` and `vat` of `quantity` pieces, for the days from `starts_on` to `ends_on`.

    `carried` is what its contract had dealt to its role when it was shared; `vat_abroad` is why a
    buyer abroad was taxed so (a case of `treatments`), and empty at home.
    """

    __tablename__ = "invoice_line"
    __table_args__ = STRICT

    line: Mapped[int] = mapped_column(primary_key=True)
    component: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    label: Mapped[str] = mapped_column(Text)
    quantity: Mapped[int]
    starts_on: Mapped[date | None] = mapped_column(DAY)
    ends_on: Mapped[date | None] = mapped_column(DAY)
    net: Mapped[int] = mapped_column(UNITS)
    vat: Mapped[int] = mapped_column(UNITS)
    vat_category: Mapped[str] = mapped_column(Text)
    vat_rate: Mapped[int]
    contract_id: Mapped[int | None] = mapped_column(ForeignKey("split_contract.id"))
    carried: Mapped[int] = mapped_column(UNITS)
    vat_abroad: Mapped[str] = mapped_column(Text, default="")


class LineShare(DocumentKey, Base):
    """What one beneficiary gets of a line's net amount."""

    __tablename__ = "line_share"
    __table_args__ = STRICT

    line: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    beneficiary_id: Mapped[int]
    fund_id: Mapped[int | None]
    units: Mapped[int] = mapped_column(UNITS)


class Allocation(DocumentKey, Entered, Base):
    """What was set against an invoice or a credit note: a payment, a return, a credit, a loss.

    The sum lies between nothing and all of it; `entry_number` is where the ledger says so.
    """

    __tablename__ = "allocation"
    __table_args__ = STRICT

    position: Mapped[int] = mapped_column(primary_key=True)
    units: Mapped[int] = mapped_column(UNITS)
    kind: Mapped[str] = mapped_column(Text)
    allocated_on: Mapped[date] = mapped_column(DAY)


class Settlement(Base):
    """What a seller owes a beneficiary for its sales between two entries of its journal."""

    __tablename__ = "settlement"
    __table_args__ = STRICT

    seller_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    beneficiary_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    after_entry: Mapped[int]
    last_entry: Mapped[int]
    made_on: Mapped[date] = mapped_column(DAY)
    units: Mapped[int] = mapped_column(UNITS)


class SettlementStep(Base):
    """That a settlement is owed, invoiced (`reference` names the invoice) or settled."""

    __tablename__ = "settlement_step"
    __table_args__ = STRICT

    seller_id: Mapped[int] = mapped_column(primary_key=True)
    beneficiary_id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(Text, primary_key=True)
    reached_on: Mapped[date] = mapped_column(DAY)
    reference: Mapped[str] = mapped_column(Text)


class DepositDeduction(DocumentKey, Entered, Base):
    """Cents of a deposit invoice that the invoice `series`-`number` of the same issuer deducts.

    `vat` is the part of the deposit's VAT that the ledger entry takes back: the invoice has all of
    its own.
    """

    __tablename__ = "deposit_deduction"
    __table_args__ = STRICT

    deposit_series: Mapped[str] = mapped_column(Text, primary_key=True)
    deposit_number: Mapped[int] = mapped_column(primary_key=True)
    net: Mapped[int] = mapped_column(UNITS)
    vat: Mapped[int] = mapped_column(UNITS)
    deducted_on: Mapped[date] = mapped_column(DAY)
