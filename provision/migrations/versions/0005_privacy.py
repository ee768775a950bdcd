"""Erased persons, the restricted archive with its visitors, and what retention rules took."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from provision.migrations.guards import guard
from provision.migrations.tables import day, number, table, words

revision = "0005"
down_revision = "0004"

ADDED_ONLY = {
    "erasure": (("subscriber_id",),),
    "archive_access": (("id",),),
    "purged": (("id",),),
}
IDENTITY = ("id", "subscriber_id", "recorded_on", "content")
PINNED = {"archived_identity": ("identity_id", "recorded_on", "archived_on")}
IN_SQLITE = PINNED | {"identity": IDENTITY}  # its table is made anew, without its trigger


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
    dialect = op.get_context().dialect.name
    if dialect == "sqlite":
        _never_number_two_identities_alike()
    guard(dialect, ADDED_ONLY, (), IN_SQLITE if dialect == "sqlite" else PINNED)


def _never_number_two_identities_alike() -> None:
    """Let SQLite count on, as PostgreSQL does, when the newest identity is deleted.

    Documents keep the number of an identity that was erased: it may never become another's.
    """
    columns = ", ".join(IDENTITY)
    op.execute(
        "CREATE TABLE identity_anew ("
        "id INTEGER NOT NULL CONSTRAINT pk_identity PRIMARY KEY AUTOINCREMENT, "
        "subscriber_id INTEGER NOT NULL "
        "CONSTRAINT fk_identity_subscriber_id REFERENCES subscriber (id), "
        "recorded_on TEXT NOT NULL, content TEXT NOT NULL) STRICT"
    )
    op.execute(f"INSERT INTO identity_anew ({columns}) SELECT {columns} FROM identity")
    op.execute("DROP TABLE identity")
    op.execute("ALTER TABLE identity_anew RENAME TO identity")
    op.create_index("ix_identity_subscriber_id", "identity", ["subscriber_id", "id"])
