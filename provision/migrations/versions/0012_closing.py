"""Until when the owner of a closed bundle may still take everything."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the day; a bundle that was never closed has none."""
    op.add_column("bundle", sa.Column("export_until", sa.Date, nullable=True))
