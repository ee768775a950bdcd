"""What invoices deduct of deposits, and the ways to find deposits and credit notes by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from provision.migrations.guards import RowGuard, guard
from provision.migrations.tables import day, number, refer, table, units, words

revision = "0011"
down_revision = "0010"

FINAL = ("organisation_id", "series", "number")
DEPOSIT = ("organisation_id", "deposit_series", "deposit_number")
ADDED_ONLY = {"deposit_deduction": ((*FINAL, "deposit_series", "deposit_number"),)}
SAME_DEPOSIT = " AND ".join(f"there.{column} = NEW.{column}" for column in DEPOSIT)
CHECKS = (
    RowGuard(
        "deposit_deduction",
        "too_much",
        f"""NOT EXISTS (SELECT 1 FROM invoice AS deposit
            WHERE deposit.organisation_id = NEW.organisation_id
            AND deposit.series = NEW.deposit_series AND deposit.number = NEW.deposit_number
            AND deposit.kind = 'deposit'
            AND NEW.net + (SELECT COALESCE(SUM(there.net), 0) FROM deposit_deduction AS there
                           WHERE {SAME_DEPOSIT}) <= deposit.net
            AND NEW.vat + (SELECT COALESCE(SUM(there.vat), 0) FROM deposit_deduction AS there
                           WHERE {SAME_DEPOSIT}) <= deposit.vat)""",
        "no more is deducted of a deposit than it has",
    ),
    RowGuard(
        "deposit_deduction",
        "credited",
        """EXISTS (SELECT 1 FROM invoice AS note
            WHERE note.organisation_id = NEW.organisation_id
            AND note.credited_series = NEW.deposit_series
            AND note.credited_number = NEW.deposit_number)""",
        "a deposit that was credited is not deducted",
    ),
)


def upgrade() -> None:
    """Make the table, the indexes, and the triggers that keep its rows.

    Deposits and credit notes are few among invoices: their indexes hold them alone.
    """
    table(
        "deposit_deduction",
        number("organisation_id", key=True, to="organisation.id"),
        words("series", key=True),
        number("number", key=True),
        words("deposit_series", key=True),
        number("deposit_number", key=True),
        sa.Column("net", units, nullable=False),
        sa.Column("vat", units, nullable=False),
        number("entry_number"),
        sa.Column("deducted_on", day, nullable=False),
        refer("invoice", FINAL, "fk_deposit_deduction_invoice"),
        sa.ForeignKeyConstraint(
            DEPOSIT,
            [f"invoice.{column}" for column in FINAL],
            name="fk_deposit_deduction_deposit",
        ),
        sa.CheckConstraint(
            "net >= 0 AND vat >= 0 AND net + vat > 0", name="ck_deposit_deduction_net"
        ),
    )
    op.create_index(
        "ix_deposit_deduction_deposit",
        "deposit_deduction",
        ["deposit_number", "deposit_series", "organisation_id"],
    )
    _partial("ix_invoice_deposit", ["subscription_id"], "kind = 'deposit'")
    _partial(
        "ix_invoice_credited",
        ["credited_number", "credited_series", "organisation_id"],
        "credited_number IS NOT NULL",
    )
    guard(op.get_context().dialect.name, ADDED_ONLY, CHECKS, {})


def _partial(name: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, "invoice", columns, sqlite_where=condition, postgresql_where=condition)
