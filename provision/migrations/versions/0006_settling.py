"""Parts of settlements, mandates, funds, promised debts, reciprocity, time given and barter."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from provision.migrations.guards import RowGuard, guard
from provision.migrations.tables import day, number, refer, table, units, words

revision = "0006"
down_revision = "0005"

SETTLEMENT = ("seller_id", "beneficiary_id", "number")
SAME_SETTLEMENT = " AND ".join(f"there.{column} = NEW.{column}" for column in SETTLEMENT)

# Rows that are only ever added, each with its keys (see `migrations.guards`).
ADDED_ONLY = {
    "self_billing_mandate": (("beneficiary_id", "seller_id", "valid_from"),),
    "settlement_part": ((*SETTLEMENT, "position"),),
    "fund_movement": (("fund_id", "number"),),
    "promised_debt": (("id",),),
    "debt_payment": (("debt_id", "number"),),
    "reciprocity_contract": (("giver_id", "receiver_id", "valid_from"),),
    "time_given": (("organisation_id", "number"),),
    "hour_value": (("organisation_id", "valid_from"),),
    "barter_agreement": (("id",),),
    "barter_delivery": (("agreement_id", "number"),),
}


def _next_of(table: str, *columns: str) -> RowGuard:
    same = " AND ".join(f"there.{column} = NEW.{column}" for column in columns)
    return RowGuard(
        table,
        "gap",
        f"NEW.number <> COALESCE((SELECT MAX(there.number) FROM {table} AS there WHERE {same}), 0) "
        "+ 1",
        f"the numbers of {table} have no gaps",
    )


def _within(table: str, column: str, whole: tuple[str, str], key: str) -> RowGuard:
    """Refuse a row with which the `column` of all of its `key` is more than the whole has."""
    holder, most = whole
    return RowGuard(
        table,
        "too_much",
        f"""(NEW.{column} + (SELECT COALESCE(SUM(there.{column}), 0) FROM {table} AS there
                             WHERE there.{key} = NEW.{key}))
            > (SELECT whole.{most} FROM {holder} AS whole WHERE whole.id = NEW.{key})""",
        f"{table} has more than {holder} allows",
    )


CHECKS = (
    RowGuard(
        "settlement",
        "inexact",
        f"""NEW.units <> (SELECT COALESCE(SUM(there.units), 0) FROM settlement_part AS there
            WHERE {SAME_SETTLEMENT})""",
        "a settlement must be the sum of its parts",
    ),
    RowGuard(
        "settlement_part",
        "sealed",
        f"EXISTS (SELECT 1 FROM settlement AS there WHERE {SAME_SETTLEMENT})",
        "a sealed settlement takes no more parts",
    ),
    RowGuard(
        "settlement_step",
        "skipped",
        f"""NEW.state <> 'owed' AND NOT EXISTS (SELECT 1 FROM settlement_step AS there
            WHERE {SAME_SETTLEMENT} AND there.state = 'owed')""",
        "a settlement is owed before anything else",
    ),
    RowGuard(
        "settlement_step",
        "unproved",
        f"""NEW.state = 'settled' AND NEW.seller_id <> NEW.beneficiary_id
            AND EXISTS (SELECT 1 FROM settlement AS there
                        WHERE {SAME_SETTLEMENT} AND there.units <> 0)
            AND NOT EXISTS (SELECT 1 FROM settlement_step AS there
                            WHERE {SAME_SETTLEMENT} AND there.state = 'invoiced')""",
        "a settlement is invoiced before it is settled",
    ),
    _next_of("fund_movement", "fund_id"),
    RowGuard(
        "fund_movement",
        "negative",
        """(NEW.units + (SELECT COALESCE(SUM(there.units), 0) FROM fund_movement AS there
                         WHERE there.fund_id = NEW.fund_id)) < 0""",
        "a fund never pays more than it has",
    ),
    RowGuard(
        "fund_movement",
        "undecided",
        """NEW.kind <> 'share' AND (NEW.units >= 0 OR NOT EXISTS (
            SELECT 1 FROM fund_decision AS there
            WHERE there.id = NEW.decision_id AND there.fund_id = NEW.fund_id
            AND there.units >= -NEW.units - (
                SELECT COALESCE(SUM(other.units), 0) FROM fund_movement AS other
                WHERE other.decision_id = NEW.decision_id)))""",
        "a fund pays only what was decided, and once",
    ),
    _next_of("debt_payment", "debt_id"),
    _within("debt_payment", "units", ("promised_debt", "units"), "debt_id"),
    _next_of("time_given", "organisation_id"),
    _next_of("barter_delivery", "agreement_id"),
    _within("barter_delivery", "quantity", ("barter_agreement", "quantity"), "agreement_id"),
)


def upgrade() -> None:
    """Make the tables, then the triggers that keep them."""
    _settlements()
    _funds()
    _debts()
    _in_kind()
    guard(op.get_context().dialect.name, ADDED_ONLY, CHECKS, {})


def _settlements() -> None:
    table(
        "self_billing_mandate",
        number("beneficiary_id", key=True, to="organisation.id"),
        number("seller_id", key=True, to="organisation.id"),
        sa.Column("valid_from", day, primary_key=True, nullable=False),
        words("state"),
        number("contest_days"),
        words("given_by"),
        sa.Column("recorded_on", day, nullable=False),
        sa.CheckConstraint("state IN ('given', 'revoked')", name="ck_self_billing_mandate_state"),
        sa.CheckConstraint("contest_days BETWEEN 1 AND 60", name="ck_self_billing_mandate_days"),
    )
    table(
        "settlement_part",
        *(number(column, key=True) for column in SETTLEMENT),
        number("position", key=True),
        words("mode"),
        words("role"),
        number("fund_id", to="fund.id", nullable=True),
        sa.Column("units", units, nullable=False),
        refer("settlement", SETTLEMENT, "fk_settlement_part_settlement"),
    )
    op.create_index("ix_settlement_part_fund_id", "settlement_part", ["fund_id"])


def _funds() -> None:
    table(
        "fund_movement",
        number("fund_id", key=True, to="fund.id"),
        number("number", key=True),
        words("kind"),
        sa.Column("units", units, nullable=False),
        number("decision_id", to="fund_decision.id", nullable=True),
        number("entry_number"),
        sa.Column("moved_on", day, nullable=False),
        sa.CheckConstraint("kind IN ('share', 'payout', 'help')", name="ck_fund_movement_kind"),
        sa.CheckConstraint("units <> 0", name="ck_fund_movement_units"),
    )
    op.create_index("ix_fund_movement_decision_id", "fund_movement", ["decision_id"])


def _debts() -> None:
    table(
        "promised_debt",
        number("id", key=True),
        number("organisation_id", to="organisation.id"),
        words("creditor"),
        words("purpose"),
        sa.Column("units", units, nullable=False),
        words("minutes"),
        sa.Column("recorded_on", day, nullable=False),
        sa.CheckConstraint("units > 0", name="ck_promised_debt_units"),
    )
    table(
        "debt_payment",
        number("debt_id", key=True, to="promised_debt.id"),
        number("number", key=True),
        sa.Column("units", units, nullable=False),
        number("entry_number"),
        sa.Column("paid_on", day, nullable=False),
        sa.CheckConstraint("units > 0", name="ck_debt_payment_units"),
    )
    table(
        "reciprocity_contract",
        number("giver_id", key=True, to="organisation.id"),
        number("receiver_id", key=True, to="organisation.id"),
        sa.Column("valid_from", day, primary_key=True, nullable=False),
        number("basis_points"),
        words("minutes"),
        sa.CheckConstraint(
            "basis_points BETWEEN 0 AND 10000", name="ck_reciprocity_contract_basis_points"
        ),
    )


def _in_kind() -> None:
    table(
        "time_given",
        number("organisation_id", key=True, to="organisation.id"),
        number("number", key=True),
        words("giver"),
        number("seconds"),
        words("purpose"),
        sa.Column("given_on", day, nullable=False),
        number("entry_number"),
        sa.CheckConstraint("seconds > 0", name="ck_time_given_seconds"),
    )
    table(
        "hour_value",
        number("organisation_id", key=True, to="organisation.id"),
        sa.Column("valid_from", day, primary_key=True, nullable=False),
        sa.Column("units", units, nullable=False),
        sa.CheckConstraint("units BETWEEN 3000 AND 4500", name="ck_hour_value_units"),
    )
    table(
        "barter_agreement",
        number("id", key=True),
        number("organisation_id", to="organisation.id"),
        words("party"),
        words("description"),
        number("quantity"),
        sa.Column("piece_units", units, nullable=False),
        sa.Column("agreed_on", day, nullable=False),
        sa.CheckConstraint("quantity > 0", name="ck_barter_agreement_quantity"),
        sa.CheckConstraint("piece_units > 0", name="ck_barter_agreement_piece_units"),
    )
    table(
        "barter_delivery",
        number("agreement_id", key=True, to="barter_agreement.id"),
        number("number", key=True),
        number("quantity"),
        number("entry_number"),
        sa.Column("delivered_on", day, nullable=False),
        sa.CheckConstraint("quantity > 0", name="ck_barter_delivery_quantity"),
    )
