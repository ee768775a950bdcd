"""Contracts of one party: who sells alone shares with nobody."""

from __future__ import annotations

from alembic import op

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
    _rewrite()


def _rewrite() -> None:
    """Write the conditions of the table anew: no row changes (sqlite.org/lang_altertable, 7)."""
    bind = op.get_bind()
    version = bind.exec_driver_sql("PRAGMA schema_version").scalar_one()
    bind.exec_driver_sql("PRAGMA writable_schema = ON")
    for name, condition in BEFORE.items():
        changed = bind.exec_driver_sql(
            "UPDATE sqlite_schema SET sql = replace(sql, ?, ?) "
            "WHERE type = 'table' AND name = ? AND instr(sql, ?) > 0",
            (condition, AFTER[name], TABLE, condition),
        )
        if changed.rowcount != 1:
            raise RuntimeError(f"{TABLE} has no condition {condition}")
    bind.exec_driver_sql(f"PRAGMA schema_version = {int(version) + 1}")
    bind.exec_driver_sql("PRAGMA writable_schema = OFF")
