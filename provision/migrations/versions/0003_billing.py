"""Identities, dated terms of sale, funds, invoices, payments, settlements and closings."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from provision.migrations.guards import Check, guard

revision = "0003"
down_revision = "0002"

# STRICT tables of SQLite know INTEGER and TEXT only; PostgreSQL gets its own types.
day = sa.Date().with_variant(sa.Text(), "sqlite")
units = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

INVOICE = ("organisation_id", "series", "number")
SAME_INVOICE = " AND ".join(f"there.{column} = NEW.{column}" for column in INVOICE)

# Rows that are only ever added, each with its keys (see `migrations.guards`).
ADDED_ONLY = {
    "organisation_profile": (("organisation_id", "valid_from"),),
    "local_currency": (("code",),),
    "plan_component": (("plan_id", "code"),),
    "price": (("id",), ("plan_id", "component", "period", "commodity", "valid_from")),
    "split_share": (("contract_id", "position"),),
    "fund": (("id",), ("name",)),
    "fund_decision": (("id",),),
    "subscription_version": (("subscription_id", "version"),),
    "discount": (("id",),),
    "turnover": (("subscription_id", "month"),),
    "invoice": (INVOICE, ("organisation_id", "entry_number"), ("organisation_id", "key")),
    "invoice_line": ((*INVOICE, "line"),),
    "line_share": ((*INVOICE, "line", "position"),),
    "allocation": ((*INVOICE, "position"),),
    "settlement": (("seller_id", "beneficiary_id", "number"),),
    "settlement_step": (("seller_id", "beneficiary_id", "number", "state"),),
    "closing": (("organisation_id", "last_day"),),
}

CHECKS = (
    Check(
        "invoice_line",
        "inexact",
        f"""NEW.net <> (SELECT COALESCE(SUM(there.units), 0) FROM line_share AS there
            WHERE {SAME_INVOICE} AND there.line = NEW.line)""",
        "the shares of an invoice line must add up to it",
    ),
    Check(
        "line_share",
        "sealed",
        f"""EXISTS (SELECT 1 FROM invoice_line AS there
            WHERE {SAME_INVOICE} AND there.line = NEW.line)""",
        "a sealed invoice line takes no more shares",
    ),
    Check(
        "invoice_line",
        "sealed",
        f"EXISTS (SELECT 1 FROM invoice AS there WHERE {SAME_INVOICE})",
        "a sealed invoice takes no more lines",
    ),
    Check(
        "invoice",
        "inexact",
        f"""EXISTS (SELECT 1 FROM (SELECT COALESCE(SUM(there.net), 0) AS net,
                                          COALESCE(SUM(there.vat), 0) AS vat
                                   FROM invoice_line AS there WHERE {SAME_INVOICE}) AS whole
            WHERE whole.net <> NEW.net OR whole.vat <> NEW.vat
            OR NEW.net + NEW.vat <> NEW.gross)""",
        "an invoice must be the sum of its lines",
    ),
    Check(
        "invoice",
        "gap",
        """NEW.number <> 1 AND NOT EXISTS (SELECT 1 FROM invoice AS there
            WHERE there.organisation_id = NEW.organisation_id AND there.series = NEW.series
            AND there.number = NEW.number - 1)""",
        "the numbers of invoices have no gaps",
    ),
    Check(
        "invoice",
        "backwards",
        """EXISTS (SELECT 1 FROM invoice AS there
                   WHERE there.organisation_id = NEW.organisation_id
                   AND there.series = NEW.series AND there.number = NEW.number - 1
                   AND there.issued_on > NEW.issued_on)""",
        "the days of invoices go forwards with their numbers",
    ),
    Check(
        "allocation",
        "too_much",
        f"""EXISTS (SELECT 1 FROM invoice AS there WHERE {SAME_INVOICE}
            AND (NEW.units + (SELECT COALESCE(SUM(other.units), 0) FROM allocation AS other
                              WHERE other.organisation_id = NEW.organisation_id
                              AND other.series = NEW.series AND other.number = NEW.number))
            NOT BETWEEN 0 AND there.gross)""",
        "what is set against an invoice lies between nothing and all of it",
    ),
    Check(
        "settlement",
        "gap",
        """NEW.after_entry <> COALESCE((SELECT MAX(there.last_entry) FROM settlement AS there
                                        WHERE there.seller_id = NEW.seller_id
                                        AND there.beneficiary_id = NEW.beneficiary_id), 0)""",
        "a settlement begins where the one before it ended",
    ),
    Check(
        "ledger_transaction",
        "closed",
        """EXISTS (SELECT 1 FROM closing AS there
                   WHERE there.organisation_id = NEW.organisation_id
                   AND there.last_day >= NEW.effective_on)""",
        "a closed period takes no more entries",
    ),
)
LEDGER_KEY = "uq_ledger_transaction_organisation_id_idempotency_key"
# Plans that are made while tables are empty stay: each look-up has one index that begins with its
# columns, and may not read a whole table.
LEDGER_CHECKS = (
    "transaction_unbalanced",
    "transaction_empty",
    "posting_sealed",
)
PINNED = {
    "subscription": (
        "id",
        "subscriber_id",
        "order_id",
        "seller_id",
        "supporter_id",
        "first_day",
    ),
    "identity": ("id", "subscriber_id", "recorded_on", "content"),
}


def upgrade() -> None:
    """Put aside what changes its shape, make the new tables, then the triggers that keep them."""
    for table in ("split_part", "split", "subscription", "price", "split_share"):
        op.execute(f"CREATE TEMPORARY TABLE old_{table} AS SELECT * FROM {table}")
        op.drop_table(table)
    _terms_of_sale()
    _shares()
    _subscriptions()
    for table in ("split_part", "split", "subscription", "price", "split_share"):
        op.execute(f"DROP TABLE old_{table}")
    _parties()
    _invoices()
    _settlements()
    op.add_column("ledger_transaction", _text("journal", default="OD"))
    op.add_column("ledger_transaction", _text("piece", default=""))
    op.add_column("ledger_transaction", _text("evidence", default=""))
    if op.get_context().dialect.name == "postgresql":
        _mend_plans()
    guard(op.get_context().dialect.name, ADDED_ONLY, CHECKS, PINNED)


def _mend_plans() -> None:
    """Leave PostgreSQL one index to look a transaction up by, and its checks no other way.

    A maximum would be looked for among all rows: the row before is there, or there is a gap.
    """
    for name in ("split_inexact", "split_gap", "split_part_sealed"):
        op.execute(f"DROP FUNCTION paquet_{name}()")
    for name in LEDGER_CHECKS:
        op.execute(f"ALTER FUNCTION paquet_ledger_{name}() SET enable_seqscan = off")
    op.execute(
        "CREATE OR REPLACE FUNCTION paquet_ledger_transaction_gap() RETURNS trigger "
        "LANGUAGE plpgsql SET enable_seqscan = off AS $$BEGIN IF NEW.number <> 1 AND NOT EXISTS "
        "(SELECT 1 FROM ledger_transaction AS there "
        "WHERE there.organisation_id = NEW.organisation_id AND there.number = NEW.number - 1) "
        "THEN RAISE EXCEPTION 'the numbers of ledger transactions have no gaps'; END IF; "
        "RETURN NEW; END$$"
    )
    op.drop_constraint(LEDGER_KEY, "ledger_transaction")
    columns = ["idempotency_key", "organisation_id"]
    op.create_unique_constraint(LEDGER_KEY, "ledger_transaction", columns)


def _terms_of_sale() -> None:
    """Give plans their components, and prices the component that they are for."""
    op.add_column("plan", _text("basis", default="gross"))
    op.add_column("plan", sa.Column("trial_days", sa.Integer, nullable=False, server_default="0"))
    op.add_column("plan", _text("tariff", default="{}"))
    _table(
        "plan_component",
        _number("plan_id", key=True, to="plan.id"),
        _text("code", key=True),
        _text("per"),
        _text("role"),
        _text("name_fr"),
        _text("name_en"),
        _number("included"),
        _number("euro_only"),
        sa.CheckConstraint("per IN ('bundle', 'user', 'gib')", name="ck_plan_component_per"),
    )
    op.execute(
        "INSERT INTO plan_component (plan_id, code, per, role, name_fr, name_en, included, "
        "euro_only) SELECT id, 'bundle', 'bundle', 'service', name_fr, name_en, 0, 0 FROM plan"
    )
    _table(
        "price",
        _number("id", key=True),
        _number("plan_id", to="plan.id"),
        _text("component"),
        _text("period"),
        _text("commodity"),
        sa.Column("units", units, nullable=False),
        sa.Column("valid_from", day, nullable=False),
        sa.UniqueConstraint(
            "plan_id", "component", "period", "commodity", "valid_from", name="uq_price"
        ),
        sa.CheckConstraint("period IN ('monthly', 'yearly')", name="ck_price_period"),
        sa.CheckConstraint("units >= 0", name="ck_price_units"),
    )
    op.execute(
        "INSERT INTO price (id, plan_id, component, period, commodity, units, valid_from) "
        "SELECT id, plan_id, 'bundle', period, commodity, units, valid_from FROM old_price"
    )


def _shares() -> None:
    """Let a contract share by role, and with funds."""
    _table(
        "fund",
        _number("id", key=True),
        _text("name"),
        _text("kind"),
        _number("custodian_id", to="organisation.id"),
        _text("decider"),
        sa.UniqueConstraint("name", name="uq_fund_name"),
        sa.CheckConstraint(
            "kind IN ('commons', 'solidarity', 'reserve', 'coordination')", name="ck_fund_kind"
        ),
    )
    _table(
        "fund_decision",
        _number("id", key=True),
        _number("fund_id", to="fund.id"),
        sa.Column("decided_on", day, nullable=False),
        _text("decided_by"),
        _text("purpose"),
        _text("beneficiary"),
        sa.Column("units", units, nullable=False),
        sa.CheckConstraint("units > 0", name="ck_fund_decision_units"),
    )
    _table(
        "split_share",
        _number("contract_id", key=True, to="split_contract.id"),
        _number("position", key=True),
        _text("role"),
        _number("organisation_id", to="organisation.id"),
        _number("fund_id", to="fund.id", nullable=True),
        _number("parts"),
        sa.CheckConstraint("parts >= 0", name="ck_split_share_parts"),
    )
    op.execute(
        "INSERT INTO split_share (contract_id, position, role, organisation_id, parts) "
        "SELECT contract_id, position, '', organisation_id, parts FROM old_split_share"
    )
    _table(
        "carry",
        _number("contract_id", key=True, to="split_contract.id"),
        _text("role", key=True),
        sa.Column("carried", units, nullable=False),
    )


def _subscriptions() -> None:
    """Keep the terms of a subscription as dated versions; the row itself says who and since when.

    Entries of openings stay in the journals as they are; no new ones are written.
    """
    _table(
        "subscription",
        _number("id", key=True),
        _number("subscriber_id", to="subscriber.id"),
        _number("order_id", to="order.id", nullable=True),
        _number("seller_id", to="organisation.id"),
        _number("supporter_id", to="organisation.id"),
        sa.Column("first_day", day, nullable=False),
        _text("state"),
        sa.Column("last_day", day),
        sa.Column("billed_to", day, nullable=False),
        sa.UniqueConstraint("order_id", name="uq_subscription_order_id"),
        sa.CheckConstraint("state IN ('waiting', 'active', 'ended')", name="ck_subscription_state"),
    )
    _table(
        "subscription_version",
        _number("subscription_id", key=True, to="subscription.id"),
        _number("version", key=True),
        sa.Column("from_day", day, nullable=False),
        sa.Column("anchor_day", day, nullable=False),
        sa.Column("recorded_on", day, nullable=False),
        _number("plan_id", to="plan.id"),
        _text("period"),
        sa.Column("priced_on", day, nullable=False),
        _number("contract_id", to="split_contract.id"),
        _number("users"),
        _number("gib"),
        _text("means"),
        sa.CheckConstraint(
            "period IN ('monthly', 'yearly')", name="ck_subscription_version_period"
        ),
    )
    _carry_over_subscriptions()
    _table(
        "discount",
        _number("id", key=True),
        _number("subscription_id", to="subscription.id"),
        sa.Column("first_day", day, nullable=False),
        sa.Column("last_day", day),
        _number("basis_points"),
        _text("reason"),
        sa.CheckConstraint("basis_points BETWEEN 1 AND 10000", name="ck_discount_basis_points"),
    )
    _table(
        "turnover",
        _number("subscription_id", key=True, to="subscription.id"),
        _text("month", key=True),
        sa.Column("units", units, nullable=False),
        sa.Column("declared_on", day, nullable=False),
        sa.CheckConstraint("units >= 0", name="ck_turnover_units"),
    )


def _carry_over_subscriptions() -> None:
    op.execute(
        "INSERT INTO subscription (id, subscriber_id, order_id, seller_id, supporter_id, "
        "first_day, state, last_day, billed_to) "
        "SELECT one.id, one.subscriber_id, one.order_id, contract.seller_id, "
        "contract.supporter_id, one.first_day, one.state, "
        "CASE WHEN one.state = 'ended' THEN one.first_day END, one.first_day "
        "FROM old_subscription AS one "
        "JOIN split_contract AS contract ON contract.id = one.contract_id"
    )
    op.execute(
        "INSERT INTO subscription_version (subscription_id, version, from_day, anchor_day, "
        "recorded_on, plan_id, period, priced_on, contract_id, users, gib, means) "
        "SELECT one.id, 1, one.first_day, one.first_day, one.first_day, price.plan_id, "
        "price.period, one.first_day, one.contract_id, plan.users, plan.quota_gib, '{}' "
        "FROM old_subscription AS one JOIN old_price AS price ON price.id = one.price_id "
        "JOIN plan ON plan.id = price.plan_id"
    )


def _parties() -> None:
    _table(
        "organisation_profile",
        _number("organisation_id", key=True, to="organisation.id"),
        sa.Column("valid_from", day, primary_key=True, nullable=False),
        _text("content"),
    )
    _table(
        "local_currency",
        _text("code", key=True),
        _text("name"),
        _number("issuer_id", to="organisation.id"),
    )
    _table(
        "identity",
        _number("id", key=True),
        _number("subscriber_id", to="subscriber.id"),
        sa.Column("recorded_on", day, nullable=False),
        _text("content"),
    )
    op.create_index("ix_identity_subscriber_id", "identity", ["subscriber_id", "id"])


def _invoices() -> None:
    _table(
        "billing_run",
        _number("id", key=True),
        sa.Column("day", day, nullable=False),
        _text("state"),
        sa.CheckConstraint("state IN ('open', 'done')", name="ck_billing_run_state"),
    )
    _table(
        "invoice",
        *_invoice_key(),
        _text("key"),
        _text("kind"),
        sa.Column("issued_on", day, nullable=False),
        sa.Column("due_on", day, nullable=False),
        _text("party"),
        _number("identity_id", nullable=True),
        _number("subscription_id", to="subscription.id", nullable=True),
        *(sa.Column(name, units, nullable=False) for name in ("net", "vat", "gross")),
        _number("entry_number"),
        sa.Column("credited_series", sa.Text),
        sa.Column("credited_number", sa.Integer),
        _text("reason"),
        _text("digest"),
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
    _table(
        "invoice_line",
        *_invoice_key(),
        _number("line", key=True),
        _text("component"),
        _text("role"),
        _text("label"),
        _number("quantity"),
        sa.Column("starts_on", day),
        sa.Column("ends_on", day),
        sa.Column("net", units, nullable=False),
        sa.Column("vat", units, nullable=False),
        _text("vat_category"),
        _number("vat_rate"),
        _number("contract_id", to="split_contract.id", nullable=True),
        sa.Column("carried", units, nullable=False),
        _to("invoice", INVOICE, "fk_invoice_line_invoice"),
    )
    _table(
        "line_share",
        *_invoice_key(),
        _number("line", key=True),
        _number("position", key=True),
        _number("beneficiary_id"),
        _number("fund_id", nullable=True),
        sa.Column("units", units, nullable=False),
        _to("invoice_line", (*INVOICE, "line"), "fk_line_share_line"),
    )


def _settlements() -> None:
    _table(
        "allocation",
        *_invoice_key(),
        _number("position", key=True),
        sa.Column("units", units, nullable=False),
        _text("kind"),
        _number("entry_number"),
        sa.Column("allocated_on", day, nullable=False),
        _to("invoice", INVOICE, "fk_allocation_invoice"),
        sa.CheckConstraint("units <> 0", name="ck_allocation_units"),
    )
    _table(
        "settlement",
        _number("seller_id", key=True, to="organisation.id"),
        _number("beneficiary_id", key=True, to="organisation.id"),
        _number("number", key=True),
        _number("after_entry"),
        _number("last_entry"),
        sa.Column("made_on", day, nullable=False),
        sa.Column("units", units, nullable=False),
        sa.CheckConstraint("last_entry > after_entry", name="ck_settlement_last_entry"),
    )
    _table(
        "settlement_step",
        _number("seller_id", key=True),
        _number("beneficiary_id", key=True),
        _number("number", key=True),
        _text("state", key=True),
        sa.Column("reached_on", day, nullable=False),
        _text("reference"),
        _to("settlement", ("seller_id", "beneficiary_id", "number"), "fk_settlement_step"),
        sa.CheckConstraint(
            "state IN ('owed', 'invoiced', 'settled')", name="ck_settlement_step_state"
        ),
    )
    _table(
        "closing",
        _number("organisation_id", key=True, to="organisation.id"),
        sa.Column("last_day", day, primary_key=True, nullable=False),
        sa.Column("closed_on", day, nullable=False),
        _number("last_entry"),
        sa.Column("debit_to_date", units, nullable=False),
        _text("hash"),
    )


def _invoice_key() -> tuple[sa.Column[int], sa.Column[str], sa.Column[int]]:
    return (
        _number("organisation_id", key=True, to="organisation.id"),
        _text("series", key=True),
        _number("number", key=True),
    )


def _table(name: str, *parts: sa.Column[Any] | sa.Constraint) -> None:
    """Make a table whose keys have names."""
    columns = [part for part in parts if isinstance(part, sa.Column)]
    keys = [column.name for column in columns if column.info.get("key") or column.primary_key]
    for column in columns:
        column.primary_key = False
    op.create_table(
        name,
        *parts,
        sa.PrimaryKeyConstraint(*keys, name=f"pk_{name}"),
        *(
            sa.ForeignKeyConstraint(
                [column.name], [column.info["to"]], name=f"fk_{name}_{column.name}"
            )
            for column in columns
            if "to" in column.info
        ),
        sqlite_strict=True,
    )


def _number(
    name: str, *, key: bool = False, to: str | None = None, nullable: bool = False
) -> sa.Column[int]:
    info: dict[str, object] = {"key": key} | ({"to": to} if to else {})
    return sa.Column(name, sa.Integer, nullable=nullable, info=info)


def _text(name: str, *, key: bool = False, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default=default, info={"key": key})


def _to(table: str, columns: tuple[str, ...], name: str) -> sa.ForeignKeyConstraint:
    """Refer to a row that is written after this one, in the same unit of work."""
    return sa.ForeignKeyConstraint(
        list(columns),
        [f"{table}.{column}" for column in columns],
        name=name,
        deferrable=True,
        initially="DEFERRED",
    )
