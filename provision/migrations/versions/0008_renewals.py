"""Announcements of tacit renewals, kept as they were sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from provision.migrations.guards import guard
from provision.migrations.tables import day, number, table, units

revision = "0008"
down_revision = "0007"

ADDED_ONLY = {"renewal_notice": (("subscription_id", "deadline"),)}


def upgrade() -> None:
    """Make the table, and the triggers that keep its rows."""
    table(
        "renewal_notice",
        number("subscription_id", key=True, to="subscription.id"),
        sa.Column("deadline", day, primary_key=True, nullable=False),
        sa.Column("sent_on", day, nullable=False),
        sa.Column("units", units, nullable=False),
        sa.CheckConstraint("sent_on < deadline", name="ck_renewal_notice_sent_on"),
    )
    guard(op.get_context().dialect.name, ADDED_ONLY, (), {})
