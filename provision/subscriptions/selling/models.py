"""The tables of who subscribed to what. Versions are only added; the row says how far it is."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from provision.columns import DAY, STRICT, UNITS
from provision.database import Base
from provision.registry.models import Subscriber
from provision.subscriptions.offers.models import Plan, SplitContract


class Subscription(Base):
    """Who pays since when, and who sold and supported it when it was opened: see its versions.

    All days before `billed_to` are on an invoice, or were free: it repeats what the lines say, so
    that a run finds what is due at once.
    """

    __tablename__ = "subscription"
    __table_args__ = STRICT

    id: Mapped[int] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id"))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("order.id"), unique=True)
    seller_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    supporter_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    first_day: Mapped[date] = mapped_column(DAY)
    state: Mapped[str] = mapped_column(Text, default="active")
    last_day: Mapped[date | None] = mapped_column(DAY)
    billed_to: Mapped[date] = mapped_column(DAY)

    subscriber: Mapped[Subscriber] = relationship()
    versions: Mapped[list[SubscriptionVersion]] = relationship(
        order_by="SubscriptionVersion.version"
    )


class SubscriptionVersion(Base):
    """What a subscription is from a day on: its plan, term, prices, contract, size and means.

    Terms count from `anchor_day`, the first day after a trial.
    """

    __tablename__ = "subscription_version"
    __table_args__ = STRICT

    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    from_day: Mapped[date] = mapped_column(DAY)
    anchor_day: Mapped[date] = mapped_column(DAY)
    recorded_on: Mapped[date] = mapped_column(DAY)
    plan_id: Mapped[int] = mapped_column(ForeignKey("plan.id"))
    period: Mapped[str] = mapped_column(Text)
    priced_on: Mapped[date] = mapped_column(DAY)
    contract_id: Mapped[int] = mapped_column(ForeignKey("split_contract.id"))
    users: Mapped[int]
    gib: Mapped[int]
    means: Mapped[str] = mapped_column(Text, default="{}")

    plan: Mapped[Plan] = relationship()
    contract: Mapped[SplitContract] = relationship()


class Discount(Base):
    """A part of the price, in hundredths of a percent, that is not asked for some time, and why."""

    __tablename__ = "discount"
    __table_args__ = STRICT

    id: Mapped[int] = mapped_column(primary_key=True)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id"))
    first_day: Mapped[date] = mapped_column(DAY)
    last_day: Mapped[date | None] = mapped_column(DAY)
    basis_points: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)


class Turnover(Base):
    """What a subscriber declared to have sold in a month ("2026-03"), for a tariff of it."""

    __tablename__ = "turnover"
    __table_args__ = STRICT

    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id"), primary_key=True)
    month: Mapped[str] = mapped_column(Text, primary_key=True)
    units: Mapped[int] = mapped_column(UNITS)
    declared_on: Mapped[date] = mapped_column(DAY)


class RenewalNotice(Base):
    """That a subscriber was told on a day until when a yearly term can be ended.

    `units` is the price that was announced. The letter itself names a person, and is not kept.
    """

    __tablename__ = "renewal_notice"
    __table_args__ = STRICT

    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id"), primary_key=True)
    deadline: Mapped[date] = mapped_column(DAY, primary_key=True)
    sent_on: Mapped[date] = mapped_column(DAY)
    units: Mapped[int] = mapped_column(UNITS)
