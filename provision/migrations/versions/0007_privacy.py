"""Erased persons, the restricted archive with its visitors, and what retention rules took."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from provision.migrations.guards import guard
from provision.migrations.tables import day, number, table, words

revision = "0007"
down_revision = "0003"

ADDED_ONLY = {
    "erasure": (("subscriber_id",),),
    "archive_access": (("id",),),
    "purged": (("id",),),
}
PINNED = {"archived_identity": ("identity_id", "recorded_on", "archived_on")}


def upgrade() -> None:
    """Make the tables, and the triggers that keep what they record."""
    table(
        "erasure",
        number("subscriber_id", key=True, to="subscriber.id"),
        sa.Column("erased_on", day, nullable=False),
        words("actor"),
        words("why"),
    )
    table(
        "archived_identity",
        number("identity_id", key=True),
        sa.Column("recorded_on", day, nullable=False),
        sa.Column("archived_on", day, nullable=False),
    )
    table(
        "archive_access",
        number("id", key=True),
        number("identity_id"),
        words("document"),
        words("looked_at"),
        words("actor"),
        words("why"),
    )
    table(
        "purged",
        number("id", key=True),
        sa.Column("purged_on", day, nullable=False),
        words("rule"),
        words("kind"),
        words("key"),
        sa.Column("counted_from", day, nullable=False),
    )
    guard(op.get_context().dialect.name, ADDED_ONLY, (), PINNED)
