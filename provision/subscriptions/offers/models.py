"""The tables of what is sold and how it is shared. Triggers keep prices, versions and contracts.

Days are dates, amounts are whole minor units of a commodity.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from provision.columns import DAY, STRICT, UNITS
from provision.database import Base
from provision.subscriptions.parties.models import Organisation


class Plan(Base):
    """What is sold: so many users and so much room (GiB) for a price.

    `basis` says whether prices hold the VAT ("gross") or not ("net"); `tariff` is a
    `tariffs.Tariff` as JSON.
    """

    __tablename__ = "plan"
    __table_args__ = STRICT

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    name_fr: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    users: Mapped[int]
    quota_gib: Mapped[int]
    basis: Mapped[str] = mapped_column(Text, default="gross")
    trial_days: Mapped[int] = mapped_column(default=0)
    tariff: Mapped[str] = mapped_column(Text, default="{}")

    components: Mapped[list[PlanComponent]] = relationship(order_by="PlanComponent.code")
    prices: Mapped[list[Price]] = relationship(
        back_populates="plan", order_by="Price.valid_from, Price.period, Price.component"
    )


class PlanComponent(Base):
    """One line of a plan: counted per bundle, user or GiB, shared by the rules of its `role`.

    `included` users or GiB cost nothing; `euro_only` lines cannot be paid in anything else.
    """

    __tablename__ = "plan_component"
    __table_args__ = STRICT

    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id"), primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    per: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    name_fr: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    included: Mapped[int] = mapped_column(default=0)
    euro_only: Mapped[int] = mapped_column(default=0)


class Price(Base):
    """What one term of a component costs from a day on, until a later price takes over."""

    __tablename__ = "price"
    __table_args__ = (
        UniqueConstraint("plan_id", "component", "period", "commodity", "valid_from"),
        STRICT,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id"))
    component: Mapped[str] = mapped_column(Text)
    period: Mapped[str] = mapped_column(Text)
    commodity: Mapped[str] = mapped_column(Text)
    units: Mapped[int] = mapped_column(UNITS)
    valid_from: Mapped[date] = mapped_column(DAY)

    plan: Mapped[Plan] = relationship(back_populates="prices")


class SplitContract(Base):
    """How seller and supporter share what is sold from a day on; who sells alone is both."""

    __tablename__ = "split_contract"
    __table_args__ = (UniqueConstraint("seller_id", "supporter_id", "valid_from"), STRICT)

    id: Mapped[int] = mapped_column(primary_key=True)
    seller_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    supporter_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    mode: Mapped[str] = mapped_column(Text)
    valid_from: Mapped[date] = mapped_column(DAY)

    seller: Mapped[Organisation] = relationship(foreign_keys=[seller_id])
    supporter: Mapped[Organisation] = relationship(foreign_keys=[supporter_id])
    shares: Mapped[list[SplitShare]] = relationship(order_by="SplitShare.position")


class Fund(Base):
    """Money kept for a purpose: the custodian holds it, the `decider` alone says what it pays."""

    __tablename__ = "fund"
    __table_args__ = STRICT

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    kind: Mapped[str] = mapped_column(Text)
    custodian_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    decider: Mapped[str] = mapped_column(Text)

    custodian: Mapped[Organisation] = relationship()


class FundDecision(Base):
    """What the decider of a fund decided to pay: without it the custodian pays nothing."""

    __tablename__ = "fund_decision"
    __table_args__ = STRICT

    id: Mapped[int] = mapped_column(primary_key=True)
    fund_id: Mapped[int] = mapped_column(ForeignKey("fund.id"))
    decided_on: Mapped[date] = mapped_column(DAY)
    decided_by: Mapped[str] = mapped_column(Text)
    purpose: Mapped[str] = mapped_column(Text)
    beneficiary: Mapped[str] = mapped_column(Text)
    units: Mapped[int] = mapped_column(UNITS)

    fund: Mapped[Fund] = relationship()


class SplitShare(Base):
    """Whole parts of one beneficiary; of equals, the lower position gets the odd cent.

    `role` is the role of the lines that it shares, or "" for those that no rule names. A fund's
    share goes to its custodian, `organisation_id`, who keeps it apart.
    """

    __tablename__ = "split_share"
    __table_args__ = STRICT

    contract_id: Mapped[int] = mapped_column(ForeignKey("split_contract.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(Text, default="")
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    fund_id: Mapped[int | None] = mapped_column(ForeignKey("fund.id"))
    parts: Mapped[int]

    organisation: Mapped[Organisation] = relationship()
    fund: Mapped[Fund | None] = relationship()


class Carry(Base):
    """How many cents a contract has dealt by now to one role: the next split goes on from there.

    It repeats what the invoice lines say (`verify` compares), so that a run need not add them up.
    """

    __tablename__ = "carry"
    __table_args__ = STRICT

    contract_id: Mapped[int] = mapped_column(ForeignKey("split_contract.id"), primary_key=True)
    role: Mapped[str] = mapped_column(Text, primary_key=True)
    carried: Mapped[int] = mapped_column(UNITS)
