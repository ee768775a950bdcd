"""Subscribers without an e-mail address: NULL, of which a unique key allows any number."""

from __future__ import annotations

from alembic import op

from provision.migrations.tables import rewrite

revision = "0021"
down_revision = "0020"

STOOD_IN = "%@sans-courriel.invalid"  # what givers without an address had until now


def upgrade() -> None:
    """Let the address be missing, and take away those that were none."""
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER TABLE subscriber ALTER COLUMN email DROP NOT NULL")
    else:
        rewrite("subscriber", {"email TEXT NOT NULL": "email TEXT"})
    op.execute(f"UPDATE subscriber SET email = NULL WHERE email LIKE '{STOOD_IN}'")
