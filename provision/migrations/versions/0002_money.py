"""Organisations, plans, prices, contracts, subscriptions, splits and the ledger."""

from __future__ import annotations

from dataclasses import astuple

import sqlalchemy as sa
from alembic import op

from provision.migrations import conditions

revision = "0002"
down_revision = "0001"

# STRICT tables of SQLite know INTEGER and TEXT only; PostgreSQL gets its own types.
day = sa.Date().with_variant(sa.Text(), "sqlite")
units = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Rows that are only ever added. SQLite's INSERT OR REPLACE deletes without asking a DELETE
# trigger, hence the keys: an insert that meets one of them is refused before it replaces.
ADDED_ONLY = {
    "price": (("id",), ("plan_id", "period", "commodity", "valid_from")),
    "split_contract": (("id",), ("seller_id", "supporter_id", "valid_from")),
    "split_share": (("contract_id", "position"), ("contract_id", "organisation_id")),
    "split": (("contract_id", "number"), ("idempotency_key",)),
    "split_part": (("contract_id", "number", "organisation_id"),),
    "ledger_transaction": (
        ("organisation_id", "number"),
        ("organisation_id", "idempotency_key"),
    ),
    "ledger_posting": (("organisation_id", "number", "line"),),
}
# What a subscription was sold with; only its state may change.
PINNED = ("id", "subscriber_id", "order_id", "price_id", "contract_id", "first_day")

# Each check: the table it guards, when it fires, the condition that refuses, and the sentence.
# Lines are written before the row that seals them (a deferred foreign key asks for that row), so
# one check on that row sees the whole, on both databases alike.
CHECKS = (
    *(astuple(check) for check in conditions.LEDGER),
    (
        "ledger_transaction",
        "gap",
        """NEW.number <> 1 + (SELECT COALESCE(MAX(earlier.number), 0)
                              FROM ledger_transaction AS earlier
                              WHERE earlier.organisation_id = NEW.organisation_id)""",
        "the numbers of ledger transactions have no gaps",
    ),
    (
        "split",
        "inexact",
        """NEW.units <> (SELECT COALESCE(SUM(part.units), 0) FROM split_part AS part
                         WHERE part.contract_id = NEW.contract_id AND part.number = NEW.number)""",
        "the parts of a split must add up to it",
    ),
    (
        "split",
        "gap",
        """NEW.number <> 1 + (SELECT COALESCE(MAX(earlier.number), 0) FROM split AS earlier
                              WHERE earlier.contract_id = NEW.contract_id)""",
        "the numbers of splits have no gaps",
    ),
    (
        "split_part",
        "sealed",
        """EXISTS (SELECT 1 FROM split AS sealed
                   WHERE sealed.contract_id = NEW.contract_id AND sealed.number = NEW.number)""",
        "a sealed split takes no more parts",
    ),
)


def upgrade() -> None:
    """Make the tables of money, then the triggers that keep them."""
    _organisations()
    _plans()
    _contracts()
    _subscriptions()
    _splits()
    _ledger()
    guard = _guard_sqlite if op.get_context().dialect.name == "sqlite" else _guard_postgresql
    guard()


def _organisations() -> None:
    op.create_table(
        "organisation",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("siren", sa.Text),
        sa.Column("territory", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organisation"),
        sa.UniqueConstraint("name", name="uq_organisation_name"),
        sa.UniqueConstraint("siren", name="uq_organisation_siren"),
        sa.CheckConstraint("kind IN ('association', 'business')", name="ck_organisation_kind"),
        sa.CheckConstraint("length(siren) = 9", name="ck_organisation_siren"),
        sqlite_strict=True,
    )


def _plans() -> None:
    op.create_table(
        "plan",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("name_fr", sa.Text, nullable=False),
        sa.Column("name_en", sa.Text, nullable=False),
        sa.Column("users", sa.Integer, nullable=False),
        sa.Column("quota_gib", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_plan"),
        sa.UniqueConstraint("code", name="uq_plan_code"),
        sa.CheckConstraint("users > 0", name="ck_plan_users"),
        sa.CheckConstraint("quota_gib > 0", name="ck_plan_quota_gib"),
        sqlite_strict=True,
    )
    op.create_table(
        "price",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("plan_id", sa.Integer, nullable=False),
        sa.Column("period", sa.Text, nullable=False),
        sa.Column("commodity", sa.Text, nullable=False),
        sa.Column("units", units, nullable=False),
        sa.Column("valid_from", day, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_price"),
        sa.UniqueConstraint(
            "plan_id",
            "period",
            "commodity",
            "valid_from",
            name="uq_price_plan_id_period_commodity_valid_from",
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name="fk_price_plan_id"),
        sa.CheckConstraint("period IN ('monthly', 'yearly')", name="ck_price_period"),
        sa.CheckConstraint("units >= 0", name="ck_price_units"),
        sqlite_strict=True,
    )


def _contracts() -> None:
    op.create_table(
        "split_contract",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("seller_id", sa.Integer, nullable=False),
        sa.Column("supporter_id", sa.Integer, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("valid_from", day, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_split_contract"),
        sa.UniqueConstraint(
            "seller_id",
            "supporter_id",
            "valid_from",
            name="uq_split_contract_seller_id_supporter_id_valid_from",
        ),
        sa.ForeignKeyConstraint(
            ["seller_id"], ["organisation.id"], name="fk_split_contract_seller_id"
        ),
        sa.ForeignKeyConstraint(
            ["supporter_id"], ["organisation.id"], name="fk_split_contract_supporter_id"
        ),
        sa.CheckConstraint("seller_id <> supporter_id", name="ck_split_contract_two_parties"),
        sa.CheckConstraint(
            "mode IN ('resale', 'two_contracts', 'mecenat', 'licensed')",
            name="ck_split_contract_mode",
        ),
        sqlite_strict=True,
    )
    op.create_table(
        "split_share",
        sa.Column("contract_id", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("organisation_id", sa.Integer, nullable=False),
        sa.Column("parts", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("contract_id", "position", name="pk_split_share"),
        sa.UniqueConstraint(
            "contract_id", "organisation_id", name="uq_split_share_contract_id_organisation_id"
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["split_contract.id"], name="fk_split_share_contract_id"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_split_share_organisation_id"
        ),
        sa.CheckConstraint("parts >= 0", name="ck_split_share_parts"),
        sqlite_strict=True,
    )


def _subscriptions() -> None:
    references = {
        "subscriber_id": "subscriber.id",
        "order_id": "order.id",
        "price_id": "price.id",
        "contract_id": "split_contract.id",
    }
    op.create_table(
        "subscription",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("subscriber_id", sa.Integer, nullable=False),
        sa.Column("order_id", sa.Integer),
        sa.Column("price_id", sa.Integer, nullable=False),
        sa.Column("contract_id", sa.Integer, nullable=False),
        sa.Column("first_day", day, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subscription"),
        sa.UniqueConstraint("order_id", name="uq_subscription_order_id"),
        *(
            sa.ForeignKeyConstraint([column], [target], name=f"fk_subscription_{column}")
            for column, target in references.items()
        ),
        sa.CheckConstraint("state IN ('active', 'ended')", name="ck_subscription_state"),
        sqlite_strict=True,
    )
    op.create_table(
        "person_reference",
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("subscriber_id", sa.Integer, nullable=False),
        sa.Column("salt", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("reference", name="pk_person_reference"),
        sa.UniqueConstraint("subscriber_id", name="uq_person_reference_subscriber_id"),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name="fk_person_reference_subscriber_id"
        ),
        sqlite_strict=True,
    )


def _splits() -> None:
    op.create_table(
        "split",
        sa.Column("contract_id", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("subscription_id", sa.Integer, nullable=False),
        sa.Column("idempotency_key", sa.Text, nullable=False),
        sa.Column("commodity", sa.Text, nullable=False),
        sa.Column("units", units, nullable=False),
        sa.Column("carried", units, nullable=False),
        sa.PrimaryKeyConstraint("contract_id", "number", name="pk_split"),
        sa.UniqueConstraint("idempotency_key", name="uq_split_idempotency_key"),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["split_contract.id"], name="fk_split_contract_id"
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name="fk_split_subscription_id"
        ),
        sqlite_strict=True,
    )
    op.create_table(
        "split_part",
        sa.Column("contract_id", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("organisation_id", sa.Integer, nullable=False),
        sa.Column("units", units, nullable=False),
        sa.PrimaryKeyConstraint("contract_id", "number", "organisation_id", name="pk_split_part"),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_split_part_organisation_id"
        ),
        sa.ForeignKeyConstraint(
            ["contract_id", "number"],
            ["split.contract_id", "split.number"],
            name="fk_split_part_split",
            deferrable=True,
            initially="DEFERRED",
        ),
        sqlite_strict=True,
    )


def _ledger() -> None:
    op.create_table(
        "ledger_transaction",
        sa.Column("organisation_id", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("effective_on", day, nullable=False),
        sa.Column("recorded_on", day, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("idempotency_key", sa.Text, nullable=False),
        sa.Column("input_hash", sa.Text, nullable=False),
        sa.Column("previous_hash", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "number", name="pk_ledger_transaction"),
        sa.UniqueConstraint(
            "organisation_id",
            "idempotency_key",
            name="uq_ledger_transaction_organisation_id_idempotency_key",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name="fk_ledger_transaction_organisation_id"
        ),
        sqlite_strict=True,
    )
    op.create_table(
        "ledger_posting",
        sa.Column("organisation_id", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("line", sa.Integer, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("party", sa.Text, nullable=False),
        sa.Column("commodity", sa.Text, nullable=False),
        sa.Column("units", units, nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "number", "line", name="pk_ledger_posting"),
        sa.ForeignKeyConstraint(
            ["organisation_id", "number"],
            ["ledger_transaction.organisation_id", "ledger_transaction.number"],
            name="fk_ledger_posting_transaction",
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.CheckConstraint("units <> 0", name="ck_ledger_posting_units"),
        sqlite_strict=True,
    )


def _guard_sqlite() -> None:
    for table, keys in ADDED_ONLY.items():
        for verb in ("UPDATE", "DELETE"):
            _sqlite_trigger(f"{table}_no_{verb.lower()}", f"{verb} ON {table}", "1", _kept(table))
        for number, key in enumerate(keys, start=1):
            same = " AND ".join(f"there.{column} = NEW.{column}" for column in key)
            _sqlite_trigger(
                f"{table}_no_replace_{number}",
                f"INSERT ON {table}",
                f"EXISTS (SELECT 1 FROM {table} AS there WHERE {same})",
                _kept(table),
            )
    for table, name, refused, sentence in CHECKS:
        _sqlite_trigger(f"{table}_{name}", f"INSERT ON {table}", refused, sentence)
    pinned = f"UPDATE OF {', '.join(PINNED)} ON subscription"
    _sqlite_trigger("subscription_pinned", pinned, "1", _kept("subscription"))


def _sqlite_trigger(name: str, event: str, refused: str, sentence: str) -> None:
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {event} WHEN {refused} "
        f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
    )


def _guard_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION paquet_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN RAISE EXCEPTION '%', TG_ARGV[0]; END$$"
    )
    for table in ADDED_ONLY:
        for level, verbs in (("ROW", "UPDATE OR DELETE"), ("STATEMENT", "TRUNCATE")):
            op.execute(
                f"CREATE TRIGGER {table}_kept_by_{level.lower()} BEFORE {verbs} ON {table} "
                f"FOR EACH {level} EXECUTE FUNCTION paquet_refuse('{_kept(table)}')"
            )
    for table, name, refused, sentence in CHECKS:
        _postgresql_check(table, name, refused, sentence)
    op.execute(
        f"CREATE TRIGGER subscription_pinned BEFORE UPDATE OF {', '.join(PINNED)} ON subscription "
        f"FOR EACH ROW EXECUTE FUNCTION paquet_refuse('{_kept('subscription')}')"
    )


def _postgresql_check(table: str, name: str, refused: str, sentence: str) -> None:
    """Let a function look: a WHEN clause of PostgreSQL may not read other rows."""
    op.execute(
        f"CREATE FUNCTION paquet_{table}_{name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$BEGIN IF {refused} THEN RAISE EXCEPTION '{sentence}'; END IF; RETURN NEW; END$$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_{name} BEFORE INSERT ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION paquet_{table}_{name}()"
    )


def _kept(table: str) -> str:
    if table == "subscription":
        return "what a subscription was sold with is never changed"
    return f"rows of {table} are only ever added"
