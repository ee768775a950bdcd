"""Identities, dated terms of sale, funds, invoices, payments, settlements and closings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from provision.migrations.guards import Check, guard
from provision.migrations.tables import day, number, refer, table, units, words

revision = "0003"
down_revision = "0002"

CHANGED = ("split_part", "split", "subscription", "price", "split_share")
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
    for name in CHANGED:
        op.execute(f"CREATE TEMPORARY TABLE old_{name} AS SELECT * FROM {name}")
        op.drop_table(name)
    _terms_of_sale()
    _shares()
    _subscriptions()
    for name in CHANGED:
        op.execute(f"DROP TABLE old_{name}")
    _parties()
    _invoices()
    _settlements()
    op.add_column("ledger_transaction", words("journal", default="OD"))
    op.add_column("ledger_transaction", words("piece", default=""))
    op.add_column("ledger_transaction", words("evidence", default=""))
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
    op.add_column("plan", words("basis", default="gross"))
    op.add_column("plan", sa.Column("trial_days", sa.Integer, nullable=False, server_default="0"))
    op.add_column("plan", words("tariff", default="{}"))
    table(
        "plan_component",
        number("plan_id", key=True, to="plan.id"),
        words("code", key=True),
        words("per"),
        words("role"),
        words("name_fr"),
        words("name_en"),
        number("included"),
        number("euro_only"),
        sa.CheckConstraint("per IN ('bundle', 'user', 'gib')", name="ck_plan_component_per"),
    )
    op.execute(
        "INSERT INTO plan_component (plan_id, code, per, role, name_fr, name_en, included, "
        "euro_only) SELECT id, 'bundle', 'bundle', 'service', name_fr, name_en, 0, 0 FROM plan"
    )
    table(
        "price",
        number("id", key=True),
        number("plan_id", to="plan.id"),
        words("component"),
        words("period"),
        words("commodity"),
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
    table(
        "fund",
        number("id", key=True),
        words("name"),
        words("kind"),
        number("custodian_id", to="organisation.id"),
        words("decider"),
        sa.UniqueConstraint("name", name="uq_fund_name"),
        sa.CheckConstraint(
            "kind IN ('commons', 'solidarity', 'reserve', 'coordination')", name="ck_fund_kind"
        ),
    )
    table(
        "fund_decision",
        number("id", key=True),
        number("fund_id", to="fund.id"),
        sa.Column("decided_on", day, nullable=False),
        words("decided_by"),
        words("purpose"),
        words("beneficiary"),
        sa.Column("units", units, nullable=False),
        sa.CheckConstraint("units > 0", name="ck_fund_decision_units"),
    )
    table(
        "split_share",
        number("contract_id", key=True, to="split_contract.id"),
        number("position", key=True),
        words("role"),
        number("organisation_id", to="organisation.id"),
        number("fund_id", to="fund.id", nullable=True),
        number("parts"),
        sa.CheckConstraint("parts >= 0", name="ck_split_share_parts"),
    )
    op.execute(
        "INSERT INTO split_share (contract_id, position, role, organisation_id, parts) "
        "SELECT contract_id, position, '', organisation_id, parts FROM old_split_share"
    )
    table(
        "carry",
        number("contract_id", key=True, to="split_contract.id"),
        words("role", key=True),
        sa.Column("carried", units, nullable=False),
    )


def _subscriptions() -> None:
    """Keep the terms of a subscription as dated versions; the row itself says who and since when.

    Entries of openings stay in the journals as they are; no new ones are written.
    """
    table(
        "subscription",
        number("id", key=True),
        number("subscriber_id", to="subscriber.id"),
        number("order_id", to="order.id", nullable=True),
        number("seller_id", to="organisation.id"),
        number("supporter_id", to="organisation.id"),
        sa.Column("first_day", day, nullable=False),
        words("state"),
        sa.Column("last_day", day),
        sa.Column("billed_to", day, nullable=False),
        sa.UniqueConstraint("order_id", name="uq_subscription_order_id"),
        sa.CheckConstraint("state IN ('waiting', 'active', 'ended')", name="ck_subscription_state"),
    )
    table(
        "subscription_version",
        number("subscription_id", key=True, to="subscription.id"),
        number("version", key=True),
        sa.Column("from_day", day, nullable=False),
        sa.Column("anchor_day", day, nullable=False),
        sa.Column("recorded_on", day, nullable=False),
        number("plan_id", to="plan.id"),
        words("period"),
        sa.Column("priced_on", day, nullable=False),
        number("contract_id", to="split_contract.id"),
        number("users"),
        number("gib"),
        words("means"),
        sa.CheckConstraint(
            "period IN ('monthly', 'yearly')", name="ck_subscription_version_period"
        ),
    )
    _carry_over_subscriptions()
    table(
        "discount",
        number("id", key=True),
        number("subscription_id", to="subscription.id"),
        sa.Column("first_day", day, nullable=False),
        sa.Column("last_day", day),
        number("basis_points"),
        words("reason"),
        sa.CheckConstraint("basis_points BETWEEN 1 AND 10000", name="ck_discount_basis_points"),
    )
    table(
        "turnover",
        number("subscription_id", key=True, to="subscription.id"),
        words("month", key=True),
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
    table(
        "organisation_profile",
        number("organisation_id", key=True, to="organisation.id"),
        sa.Column("valid_from", day, primary_key=True, nullable=False),
        words("content"),
    )
    table(
        "local_currency",
        words("code", key=True),
        words("name"),
        number("issuer_id", to="organisation.id"),
    )
    table(
        "identity",
        number("id", key=True),
        number("subscriber_id", to="subscriber.id"),
        sa.Column("recorded_on", day, nullable=False),
        words("content"),
    )
    op.create_index("ix_identity_subscriber_id", "identity", ["subscriber_id", "id"])


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
