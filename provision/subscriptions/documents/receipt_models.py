"""The tables of receipts. Rows are only added: one that is wrong is cancelled by another row."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKeyConstraint, Text
from sqlalchemy.orm import Mapped, mapped_column

from provision.columns import DAY, STRICT, UNITS
from provision.database import Base
from provision.subscriptions.documents.models import DocumentKey, IssuedKey
from provision.subscriptions.ledger.models import Entered

NUMBER = ("organisation_id", "series", "number")
MEMBERSHIP, DONATION = "membership", "donation"  # kinds of receipts


def _of_receipt(name: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(NUMBER, [f"receipt.{column}" for column in NUMBER], name=name)


class Receipt(IssuedKey, Entered, Base):
    """What an association received from `party`: a 'membership' fee or a 'donation', in cents.

    A fee is for the days from `first_day` to `last_day`. `articles` are those of the tax code that
    a donor may use, or ''. `identity_id` is who the giver was then; organisations have none. It is
    income of the ledger entry `entry_number`; `digest` seals all the rest.
    """

    __tablename__ = "receipt"
    __table_args__ = STRICT

    kind: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text)
    issued_on: Mapped[date] = mapped_column(DAY)
    received_on: Mapped[date] = mapped_column(DAY)
    party: Mapped[str] = mapped_column(Text)
    identity_id: Mapped[int | None]
    units: Mapped[int] = mapped_column(UNITS)
    means: Mapped[str] = mapped_column(Text)
    first_day: Mapped[date | None] = mapped_column(DAY)
    last_day: Mapped[date | None] = mapped_column(DAY)
    articles: Mapped[str] = mapped_column(Text, default="")
    digest: Mapped[str] = mapped_column(Text)


class ReceiptCancellation(DocumentKey, Base):
    """That a receipt does not count: why, and the entry that takes it back.

    A gift of another organisation is in both their books already, and has no such entry.
    """

    __tablename__ = "receipt_cancellation"
    __table_args__ = (_of_receipt("fk_receipt_cancellation_receipt"), STRICT)

    cancelled_on: Mapped[date] = mapped_column(DAY)
    why: Mapped[str] = mapped_column(Text)
    entry_number: Mapped[int | None]


class ReceiptCopy(DocumentKey, Base):
    """That a receipt was written as a file: `position` 1 is the original, later ones duplicates."""

    __tablename__ = "receipt_copy"
    __table_args__ = (_of_receipt("fk_receipt_copy_receipt"), STRICT)

    position: Mapped[int] = mapped_column(primary_key=True)
    written_on: Mapped[date] = mapped_column(DAY)
