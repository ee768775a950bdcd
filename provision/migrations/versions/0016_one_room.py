"""People of a bundle share its room: a limit of their own stands only where one was set."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Take away the limits that all were given: as much as their whole bundle had."""
    op.execute('UPDATE "user" SET quota_bytes = 0')
