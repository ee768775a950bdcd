"""Identities and profiles, plans with components, shares by role, subscriptions in versions."""

from __future__ import annotations

import json
from datetime import date

import sqlalchemy as sa
from alembic import op

from provision.migrations.guards import guard
from provision.migrations.tables import day, number, table, units, words

revision = "0003"
down_revision = "0002"

CHANGED = ("split_part", "split", "subscription", "price", "split_share")
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
}
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
    if op.get_context().dialect.name == "postgresql":
        for name in ("split_inexact", "split_gap", "split_part_sealed"):
            op.execute(f"DROP FUNCTION paquet_{name}()")
        for name in ("price", "subscription", "identity"):
            op.execute(
                f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), MAX(id)) FROM {name} "
                "HAVING MAX(id) IS NOT NULL"
            )
    guard(op.get_context().dialect.name, ADDED_ONLY, (), PINNED)


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
    _name_those_who_are_there()


def _name_those_who_are_there() -> None:
    """Let documents know by name and address whoever subscribed already."""
    rows = op.get_bind().exec_driver_sql(
        "SELECT id, name, email, language FROM subscriber WHERE id IN "
        "(SELECT subscriber_id FROM subscription) ORDER BY id"
    )
    known = [
        {
            "id": number,
            "subscriber_id": row.id,
            "recorded_on": date(2026, 1, 1),
            "content": json.dumps({"name": row.name, "email": row.email, "language": row.language}),
        }
        for number, row in enumerate(rows, start=1)
    ]
    identity = sa.table(
        "identity",
        *(sa.column(name) for name in ("id", "subscriber_id", "content")),
        sa.column("recorded_on", day),
    )
    if known:
        op.bulk_insert(identity, known)
