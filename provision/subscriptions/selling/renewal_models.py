"""The table of announced renewals. Only added to."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from provision.columns import DAY, STRICT, UNITS
from provision.database import Base


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
