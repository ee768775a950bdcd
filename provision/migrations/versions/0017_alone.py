"""Contracts of one party: who sells alone shares with nobody."""

from __future__ import annotations

from alembic import op

from provision.migrations.tables import rewrite

revision = "0017"
down_revision = "0016"

TABLE = "split_contract"
BEFORE = {
    "two_parties": "seller_id <> supporter_id",
    "mode": "mode IN ('resale', 'two_contracts', 'mecenat', 'licensed')",
}
AFTER = {
    "two_parties": "(seller_id = supporter_id) = (mode = 'alone')",
    "mode": "mode IN ('alone', 'resale', 'two_contracts', 'mecenat', 'licensed')",
}


def upgrade() -> None:
    """Let the two parties be one where the mode says so."""
    if op.get_context().dialect.name == "postgresql":
        for name, condition in AFTER.items():
            op.execute(f"ALTER TABLE {TABLE} DROP CONSTRAINT ck_{TABLE}_{name}")
            op.execute(f"ALTER TABLE {TABLE} ADD CONSTRAINT ck_{TABLE}_{name} CHECK ({condition})")
        return
    rewrite(TABLE, {condition: AFTER[name] for name, condition in BEFORE.items()})
