"""Letters that hurry, addresses that are gone, what the operator heard of, how far was gathered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from provision.migrations.tables import day, number, table, words

revision = "0023"
down_revision = "0022"

moment = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
# Of a bounce (RFC 3463), what says that the address does not work.
OF_ADDRESS = "bounce LIKE '5.0.%' OR bounce LIKE '5.1.%' OR bounce IN ('5.2.0', '5.2.1')"


def upgrade() -> None:
    """Add the columns and the table; what was known of addresses is known further on."""
    op.add_column("letter", sa.Column("urgent", sa.Integer, nullable=False, server_default="0"))
    op.add_column("letter", sa.Column("gone", sa.Text, nullable=False, server_default=""))
    op.add_column("letter", sa.Column("told_at", moment))
    op.execute(f"UPDATE letter SET gone = email WHERE email <> '' AND ({OF_ADDRESS})")
    op.create_index("ix_letter_urgent", "letter", ["state", "urgent"])
    op.create_index("ix_letter_gone", "letter", ["gone"])
    table(
        "gathered_series",
        number("organisation_id", key=True, to="organisation.id"),
        words("series", key=True),
        sa.Column("since", day, nullable=False),
        number("number"),
    )
