"""Invoices, what is set against them, settlements and closings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from provision.migrations import conditions
from provision.migrations.conditions import INVOICE, SAME_INVOICE
from provision.migrations.guards import RowGuard, guard
from provision.migrations.tables import day, number, refer, table, units, words

revision = "0004"
down_revision = "0003"

# Rows that are only ever added, each with its keys (see `migrations.guards`).
ADDED_ONLY: dict[str, tuple[tuple[str, ...], ...]] = {
    "invoice": (INVOICE, ("organisation_id", "entry_number"), ("organisation_id", "key")),
    "invoice_line": ((*INVOICE, "line"),),
    "line_share": ((*INVOICE, "line", "position"),),
    "allocation": ((*INVOICE, "position"),),
    "settlement": (("seller_id", "beneficiary_id", "number"),),
    "settlement_step": (("seller_id", "beneficiary_id", "number", "state"),),
    "closing": (("organisation_id", "last_day"),),
}
CHECKS = (
    *conditions.INVOICES,
    RowGuard(
        "allocation",
        "too_much",
        f"""EXISTS (SELECT 1 FROM invoice AS there WHERE {SAME_INVOICE}
            AND (NEW.units + (SELECT COALESCE(SUM(other.units), 0) FROM allocation AS other
                              WHERE other.organisation_id = NEW.organisation_id
                              AND other.series = NEW.series AND other.number = NEW.number))
            NOT BETWEEN 0 AND there.gross)""",
        "what is set against an invoice lies between nothing and all of it",
    ),
    RowGuard(
        "settlement",
        "gap",
        """NEW.after_entry <> COALESCE((SELECT MAX(there.last_entry) FROM settlement AS there
                                        WHERE there.seller_id = NEW.seller_id
                                        AND there.beneficiary_id = NEW.beneficiary_id), 0)""",
        "a settlement begins where the one before it ended",
    ),
    conditions.CLOSED,
)
LEDGER_KEY = "uq_ledger_transaction_organisation_id_idempotency_key"
# Plans that are made while tables are empty stay: each look-up has one index that begins with its
# columns, and may not read a whole table.
LEDGER_CHECKS = (
    "transaction_unbalanced",
    "transaction_empty",
    "posting_sealed",
)


def upgrade() -> None:
    """Make the tables, then the triggers that keep them."""
    _invoices()
    _settlements()
    op.add_column("ledger_transaction", words("journal", default="OD"))
    op.add_column("ledger_transaction", words("piece", default=""))
    op.add_column("ledger_transaction", words("evidence", default=""))
    if op.get_context().dialect.name == "postgresql":
        _mend_plans()
    guard(op.get_context().dialect.name, ADDED_ONLY, CHECKS, {})


def _mend_plans() -> None:
    """Leave PostgreSQL one index to look a transaction up by, and its checks no other way.

    A maximum would be looked for among all rows: the row before is there, or there is a gap.
    """
    for name in LEDGER_CHECKS:
        op.execute(f"ALTER FUNCTION paquet_ledger_{name}() SET enable_seqscan = off")
    gap = conditions.GAP
    op.execute(
        "CREATE OR REPLACE FUNCTION paquet_ledger_transaction_gap() RETURNS trigger "
        f"LANGUAGE plpgsql SET enable_seqscan = off AS $$BEGIN IF {gap.refused} "
        f"THEN RAISE EXCEPTION '{gap.sentence}'; END IF; RETURN NEW; END$$"
    )
    op.drop_constraint(LEDGER_KEY, "ledger_transaction")
    columns = ["idempotency_key", "organisation_id"]
    op.create_unique_constraint(LEDGER_KEY, "ledger_transaction", columns)


def _invoices() -> None:
    table(
        "billing_run",
        number("id", key=True),
        sa.Column("day", day, nullable=False),
        words("state"),
        sa.CheckConstraint("state IN ('open', 'done')", name="ck_billing_run_state"),
    )
    table(
        "invoice",
        *_invoice_key(),
        words("key"),
        words("kind"),
        sa.Column("issued_on", day, nullable=False),
        sa.Column("due_on", day, nullable=False),
        words("party"),
        number("identity_id", nullable=True),
        number("subscription_id", to="subscription.id", nullable=True),
        *(sa.Column(name, units, nullable=False) for name in ("net", "vat", "gross")),
        number("entry_number"),
        sa.Column("credited_series", sa.Text),
        sa.Column("credited_number", sa.Integer),
        words("reason"),
        words("digest"),
        sa.UniqueConstraint("entry_number", "organisation_id", name="uq_invoice_entry_number"),
        sa.UniqueConstraint("key", "organisation_id", name="uq_invoice_key"),
        sa.ForeignKeyConstraint(
            ["organisation_id", "entry_number"],
            ["ledger_transaction.organisation_id", "ledger_transaction.number"],
            name="fk_invoice_entry",
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.CheckConstraint("gross >= 0", name="ck_invoice_gross"),
        sa.CheckConstraint("due_on >= issued_on", name="ck_invoice_due_on"),
    )
    op.create_index("ix_invoice_subscription_id", "invoice", ["subscription_id"])
    op.create_index("ix_invoice_issued_on", "invoice", ["issued_on", "organisation_id"])
    table(
        "invoice_line",
        *_invoice_key(),
        number("line", key=True),
        words("component"),
        words("role"),
        words("label"),
        number("quantity"),
        sa.Column("starts_on", day),
        sa.Column("ends_on", day),
        sa.Column("net", units, nullable=False),
        sa.Column("vat", units, nullable=False),
        words("vat_category"),
        number("vat_rate"),
        number("contract_id", to="split_contract.id", nullable=True),
        sa.Column("carried", units, nullable=False),
        refer("invoice", INVOICE, "fk_invoice_line_invoice"),
    )
    table(
        "line_share",
        *_invoice_key(),
        number("line", key=True),
        number("position", key=True),
        number("beneficiary_id"),
        number("fund_id", nullable=True),
        sa.Column("units", units, nullable=False),
        refer("invoice_line", (*INVOICE, "line"), "fk_line_share_line"),
    )


def _settlements() -> None:
    table(
        "allocation",
        *_invoice_key(),
        number("position", key=True),
        sa.Column("units", units, nullable=False),
        words("kind"),
        number("entry_number"),
        sa.Column("allocated_on", day, nullable=False),
        refer("invoice", INVOICE, "fk_allocation_invoice"),
        sa.CheckConstraint("units <> 0", name="ck_allocation_units"),
    )
    table(
        "settlement",
        number("seller_id", key=True, to="organisation.id"),
        number("beneficiary_id", key=True, to="organisation.id"),
        number("number", key=True),
        number("after_entry"),
        number("last_entry"),
        sa.Column("made_on", day, nullable=False),
        sa.Column("units", units, nullable=False),
        sa.CheckConstraint("last_entry > after_entry", name="ck_settlement_last_entry"),
    )
    table(
        "settlement_step",
        number("seller_id", key=True),
        number("beneficiary_id", key=True),
        number("number", key=True),
        words("state", key=True),
        sa.Column("reached_on", day, nullable=False),
        words("reference"),
        refer("settlement", ("seller_id", "beneficiary_id", "number"), "fk_settlement_step"),
        sa.CheckConstraint(
            "state IN ('owed', 'invoiced', 'settled')", name="ck_settlement_step_state"
        ),
    )
    table(
        "closing",
        number("organisation_id", key=True, to="organisation.id"),
        sa.Column("last_day", day, primary_key=True, nullable=False),
        sa.Column("closed_on", day, nullable=False),
        number("last_entry"),
        sa.Column("debit_to_date", units, nullable=False),
        words("hash"),
    )


def _invoice_key() -> tuple[sa.Column[int], sa.Column[str], sa.Column[int]]:
    return (
        number("organisation_id", key=True, to="organisation.id"),
        words("series", key=True),
        number("number", key=True),
    )
