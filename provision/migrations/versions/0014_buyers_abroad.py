"""Why a line was taxed as it is where the buyer is abroad; those of before name no reason."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the column; lines of before are sealed without it, and stay as they are."""
    op.add_column(
        "invoice_line", sa.Column("vat_abroad", sa.Text, nullable=False, server_default="")
    )
