"""What checks found, from when to when: so that only what changed is told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table."""
    texts = ("subject", "check", "result", "message", "hint")
    op.create_table(
        "finding",
        sa.Column("id", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in texts),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("since", moment, nullable=False),
        *(sa.Column(name, moment) for name in ("told_at", "mended_at", "over_told_at")),
        sa.PrimaryKeyConstraint("id", name="pk_finding"),
    )
    op.create_index("ix_finding_subject_mended_at", "finding", ["subject", "mended_at"])
