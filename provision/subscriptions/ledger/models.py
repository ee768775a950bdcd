"""The tables of the ledger. Triggers of the migrations keep every row as it was written."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from provision.columns import DAY, STRICT, UNITS
from provision.database import Base


class Entered:
    """That the entry `entry_number` of its organisation's journal says the same in the books."""

    entry_number: Mapped[int]


class LedgerTransaction(Base):
    """One entry in the books of one organisation; `number` has no gaps, `hash` seals it.

    `journal` is VT, AC, BQ, OD or AN; `piece` names the document; `evidence` is its SHA-256.
    """

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
    journal: Mapped[str] = mapped_column(Text, default="OD")
    piece: Mapped[str] = mapped_column(Text, default="")
    evidence: Mapped[str] = mapped_column(Text, default="")


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


class Closing(Base):
    """A period that takes no more entries, with what was debited by its end, sealed."""

    __tablename__ = "closing"
    __table_args__ = STRICT

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    last_day: Mapped[date] = mapped_column(DAY, primary_key=True)
    closed_on: Mapped[date] = mapped_column(DAY)
    last_entry: Mapped[int]
    debit_to_date: Mapped[int] = mapped_column(UNITS)
    hash: Mapped[str] = mapped_column(Text)
