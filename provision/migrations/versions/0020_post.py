"""The post: letters and what is enclosed, who gets none, and how far a mailbox was read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from provision.migrations.tables import day, number, table, units, words

revision = "0020"
down_revision = "0019"

STATES = ("waiting", "sending", "sent", "bounced", "held", "printed", "cancelled")
DEFAULTS = ("from_address", "reply_to", "address", "postcode", "html", "about")
ANSWERS = ("message", "bounce", "message_id")
moment = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    """Make the tables, and the indexes by which letters are looked for."""
    listed = ", ".join(f"'{state}'" for state in STATES)
    table(
        "letter",
        number("id", key=True),
        words("key"),
        words("kind"),
        sa.Column("written_on", day, nullable=False),
        number("organisation_id", to="organisation.id", nullable=True),
        number("subscriber_id", to="subscriber.id", nullable=True),
        *(words(name) for name in ("language", "from_name", "to_name", "subject", "text")),
        *(words(name, default="") for name in (*DEFAULTS, *ANSWERS)),
        sa.Column("email", sa.Text),
        words("state"),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        *(sa.Column(name, moment) for name in ("next_at", "began_at", "sent_at")),
        sa.UniqueConstraint("key", name="uq_letter_key"),
        sa.CheckConstraint(f"state IN ({listed})", name="ck_letter_state"),
        sa.CheckConstraint("state <> 'sending' OR began_at IS NOT NULL", name="ck_letter_began"),
    )
    op.create_index("ix_letter_state", "letter", ["state", "next_at", "id"])
    for column in ("subscriber_id", "message_id"):
        op.create_index(f"ix_letter_{column}", "letter", [column])
    table(
        "letter_enclosure",
        number("letter_id", key=True, to="letter.id"),
        number("position", key=True),
        words("name"),
        words("reference", default=""),
        sa.Column("content", sa.LargeBinary),
        sa.CheckConstraint("reference <> '' OR content IS NOT NULL", name="ck_letter_enclosure_is"),
    )
    table(
        "post_pause",
        number("subscriber_id", key=True, to="subscriber.id"),
        words("reason"),
        words("actor"),
        sa.Column("since", day, nullable=False),
    )
    table(
        "read_mailbox",
        words("address", key=True),
        sa.Column("validity", units, nullable=False),
        sa.Column("uid", units, nullable=False),
    )
