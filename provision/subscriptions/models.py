"""The tables of money. Triggers of the migration keep prices, contracts, splits and journal.

Days are dates, amounts are whole minor units of a commodity.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from provision.database import Base
from provision.registry.models import Subscriber
from provision.subscriptions.columns import DAY, UNITS

STRICT = {"sqlite_strict": True}


class Organisation(Base):
    """An association that supports, or a business that sells; each keeps its own books."""

    __tablename__ = "organisation"
    __table_args__ = STRICT

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    kind: Mapped[str] = mapped_column(Text)
    siren: Mapped[str | None] = mapped_column(Text, unique=True)
    territory: Mapped[str] = mapped_column(Text, default="")


class Plan(Base):
    """What is sold: so many users and so much room (GiB) for a price."""

    __tablename__ = "plan"
    __table_args__ = STRICT

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    name_fr: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    users: Mapped[int]
    quota_gib: Mapped[int]

    prices: Mapped[list[Price]] = relationship(
        back_populates="plan", order_by="Price.valid_from, Price.period"
    )


class Price(Base):
    """What one term of a plan costs from a day on, until a later price takes over."""

    __tablename__ = "price"
    __table_args__ = (UniqueConstraint("plan_id", "period", "commodity", "valid_from"), STRICT)

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id"))
    period: Mapped[str] = mapped_column(Text)
    commodity: Mapped[str] = mapped_column(Text)
    units: Mapped[int] = mapped_column(UNITS)
    valid_from: Mapped[date] = mapped_column(DAY)

    plan: Mapped[Plan] = relationship(back_populates="prices")


class SplitContract(Base):
    """How seller and supporter share what is sold from a day on, in one of four legal modes."""

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


class SplitShare(Base):
    """One party's whole parts of a contract; of equals, the lower position gets the odd cent."""

    __tablename__ = "split_share"
    __table_args__ = (UniqueConstraint("contract_id", "organisation_id"), STRICT)

    contract_id: Mapped[int] = mapped_column(ForeignKey("split_contract.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    parts: Mapped[int]

    organisation: Mapped[Organisation] = relationship()


class Subscription(Base):
    """Who pays which price from when on, sold and supported by whom. Only its state changes."""

    __tablename__ = "subscription"
    __table_args__ = STRICT

    id: Mapped[int] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id"))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("order.id"), unique=True)
    price_id: Mapped[int] = mapped_column(ForeignKey("price.id"))
    contract_id: Mapped[int] = mapped_column(ForeignKey("split_contract.id"))
    first_day: Mapped[date] = mapped_column(DAY)
    state: Mapped[str] = mapped_column(Text, default="active")

    subscriber: Mapped[Subscriber] = relationship()
    price: Mapped[Price] = relationship()
    contract: Mapped[SplitContract] = relationship()


class SplitRecord(Base):
    """One amount that was shared under a contract; `carried` is all that was shared by then."""

    __tablename__ = "split"
    __table_args__ = STRICT

    contract_id: Mapped[int] = mapped_column(ForeignKey("split_contract.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id"))
    idempotency_key: Mapped[str] = mapped_column(Text, unique=True)
    commodity: Mapped[str] = mapped_column(Text)
    units: Mapped[int] = mapped_column(UNITS)
    carried: Mapped[int] = mapped_column(UNITS)


class SplitPart(Base):
    """What one party got of a split. Parts are written first; their split's row seals them."""

    __tablename__ = "split_part"
    __table_args__ = (
        ForeignKeyConstraint(
            ["contract_id", "number"],
            ["split.contract_id", "split.number"],
            name="fk_split_part_split",
            deferrable=True,
            initially="DEFERRED",
        ),
        STRICT,
    )

    contract_id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    units: Mapped[int] = mapped_column(UNITS)


class PersonReference(Base):
    """Who a reference in the ledger stands for; without this row nobody can tell any more."""

    __tablename__ = "person_reference"
    __table_args__ = STRICT

    reference: Mapped[str] = mapped_column(Text, primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id"), unique=True)
    salt: Mapped[str] = mapped_column(Text)


class LedgerTransaction(Base):
    """One entry in the journal of one organisation; `number` has no gaps, `hash` seals it."""

    __tablename__ = "ledger_transaction"
    __table_args__ = (UniqueConstraint("organisation_id", "idempotency_key"), STRICT)

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    effective_on: Mapped[date] = mapped_column(DAY)
    recorded_on: Mapped[date] = mapped_column(DAY)
    text: Mapped[str] = mapped_column(Text)
    idempotency_key: Mapped[str] = mapped_column(Text)
    input_hash: Mapped[str] = mapped_column(Text)
    previous_hash: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(Text)


class LedgerPosting(Base):
    """One line of a transaction: debit above zero, credit below.

    Postings are written first; the transaction's row seals them, and is refused unless they add
    up to zero in every commodity.
    """

    __tablename__ = "ledger_posting"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organisation_id", "number"],
            ["ledger_transaction.organisation_id", "ledger_transaction.number"],
            name="fk_ledger_posting_transaction",
            deferrable=True,
            initially="DEFERRED",
        ),
        STRICT,
    )

    organisation_id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(Text)
    party: Mapped[str] = mapped_column(Text)
    commodity: Mapped[str] = mapped_column(Text)
    units: Mapped[int] = mapped_column(UNITS)
