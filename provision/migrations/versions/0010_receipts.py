"""Receipts of fees and donations, their cancellations, and the copies that were handed out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from provision.migrations.guards import RowGuard, guard
from provision.migrations.tables import day, number, refer, table, units, words

revision = "0010"
down_revision = "0009"

RECEIPT = ("organisation_id", "series", "number")
ADDED_ONLY = {
    "receipt": (RECEIPT, ("key", "organisation_id")),
    "receipt_cancellation": (RECEIPT,),
    "receipt_copy": ((*RECEIPT, "position"),),
}
BEFORE = """SELECT 1 FROM receipt AS there
            WHERE there.organisation_id = NEW.organisation_id AND there.series = NEW.series
            AND there.number = NEW.number - 1"""
CHECKS = (
    RowGuard(
        "receipt",
        "gap",
        f"NEW.number <> 1 AND NOT EXISTS ({BEFORE})",
        "the numbers of receipts have no gaps",
    ),
    RowGuard(
        "receipt",
        "backwards",
        f"EXISTS ({BEFORE} AND there.issued_on > NEW.issued_on)",
        "the days of receipts go forwards with their numbers",
    ),
)


def upgrade() -> None:
    """Make the tables, then the triggers that keep them."""
    table(
        "receipt",
        *_number_of_receipt(),
        words("kind"),
        words("key"),
        sa.Column("issued_on", day, nullable=False),
        sa.Column("received_on", day, nullable=False),
        words("party"),
        number("identity_id", nullable=True),
        sa.Column("units", units, nullable=False),
        words("means"),
        sa.Column("first_day", day),
        sa.Column("last_day", day),
        words("articles"),
        number("entry_number"),
        words("digest"),
        sa.UniqueConstraint("key", "organisation_id", name="uq_receipt_key"),
        _entry("receipt"),
        sa.CheckConstraint("units > 0", name="ck_receipt_units"),
        sa.CheckConstraint("received_on <= issued_on", name="ck_receipt_received_on"),
        sa.CheckConstraint(
            "(kind = 'membership' AND first_day IS NOT NULL AND last_day IS NOT NULL "
            "AND first_day <= last_day AND articles = '') "
            "OR (kind = 'donation' AND first_day IS NULL AND last_day IS NULL)",
            name="ck_receipt_kind",
        ),
        sa.CheckConstraint(
            "means IN ('cash', 'cheque', 'transfer', 'debit', 'card')", name="ck_receipt_means"
        ),
    )
    op.create_index("ix_receipt_party", "receipt", ["party"])
    table(
        "receipt_cancellation",
        *_number_of_receipt(),
        sa.Column("cancelled_on", day, nullable=False),
        words("why"),
        number("entry_number", nullable=True),
        refer("receipt", RECEIPT, "fk_receipt_cancellation_receipt"),
        _entry("receipt_cancellation"),
    )
    table(
        "receipt_copy",
        *_number_of_receipt(),
        number("position", key=True),
        sa.Column("written_on", day, nullable=False),
        refer("receipt", RECEIPT, "fk_receipt_copy_receipt"),
    )
    guard(op.get_context().dialect.name, ADDED_ONLY, CHECKS, {})


def _number_of_receipt() -> tuple[sa.Column[int], sa.Column[str], sa.Column[int]]:
    return (
        number("organisation_id", key=True, to="organisation.id"),
        words("series", key=True),
        number("number", key=True),
    )


def _entry(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organisation_id", "entry_number"],
        ["ledger_transaction.organisation_id", "ledger_transaction.number"],
        name=f"fk_{name}_entry",
    )
