"""People, bundles, orders, devices, events and sealed secrets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the first tables."""
    _servers_and_subscribers()
    _bundles()
    _users_and_devices()
    _orders()
    _events_and_secrets()


def _servers_and_subscribers() -> None:
    op.create_table(
        "server",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("prepared_at", moment),
        sa.PrimaryKeyConstraint("name", name="pk_server"),
    )
    op.create_table(
        "subscriber",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subscriber"),
        sa.UniqueConstraint("email", name="uq_subscriber_email"),
    )


def _bundles() -> None:
    op.create_table(
        "bundle",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("subscriber_id", sa.Integer, nullable=False),
        sa.Column("domain", sa.Text, nullable=False),
        sa.Column("cloud", sa.Text, nullable=False),
        sa.Column("cloud_version", sa.Text, nullable=False),
        sa.Column("server", sa.Text, nullable=False),
        sa.Column("backup_server", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("quota_bytes", sa.BigInteger, nullable=False),
        sa.Column("dkim_selector", sa.Text, nullable=False),
        sa.Column("dkim_public_key", sa.Text, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bundle"),
        sa.UniqueConstraint("name", name="uq_bundle_name"),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name="fk_bundle_subscriber_id"
        ),
        sa.ForeignKeyConstraint(["server"], ["server.name"], name="fk_bundle_server"),
        sa.CheckConstraint("cloud IN ('nextcloud', 'light')", name="ck_bundle_cloud"),
        sa.CheckConstraint(
            "state IN ('active', 'suspended', 'closed', 'erased')", name="ck_bundle_state"
        ),
    )
    living = sa.text("state <> 'erased'")
    op.create_index(
        "uq_bundle_domain",
        "bundle",
        ["domain"],
        unique=True,
        sqlite_where=living,
        postgresql_where=living,
    )


def _users_and_devices() -> None:
    op.create_table(
        "user",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("bundle_id", sa.Integer, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("quota_bytes", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_user"),
        sa.UniqueConstraint("address", name="uq_user_address"),
        sa.ForeignKeyConstraint(["bundle_id"], ["bundle.id"], name="fk_user_bundle_id"),
    )
    op.create_table(
        "device",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("secret_sha256", sa.Text, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("revoked_at", moment),
        sa.PrimaryKeyConstraint("id", name="pk_device"),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk_device_user_id"),
        sa.CheckConstraint("state IN ('enrolled', 'revoked')", name="ck_device_state"),
    )


def _orders() -> None:
    op.create_table(
        "order",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("subscriber_id", sa.Integer, nullable=False),
        sa.Column("bundle_id", sa.Integer, nullable=False),
        sa.Column("wish", sa.JSON, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("placed_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_order"),
        sa.UniqueConstraint("bundle_id", name="uq_order_bundle_id"),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscriber.id"], name="fk_order_subscriber_id"
        ),
        sa.ForeignKeyConstraint(["bundle_id"], ["bundle.id"], name="fk_order_bundle_id"),
        sa.CheckConstraint(
            "state IN ('placed', 'provisioning', 'delivered', 'failed', 'cancelled')",
            name="ck_order_state",
        ),
    )
    op.create_table(
        "order_step",
        sa.Column("order_id", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("milliseconds", sa.Integer),
        sa.Column("message", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("order_id", "position", name="pk_order_step"),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name="fk_order_step_order_id"),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed')", name="ck_order_step_state"
        ),
    )


def _events_and_secrets() -> None:
    op.create_table(
        "event",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event"),
    )
    op.create_index("ix_event_subject", "event", ["subject", "id"])
    op.create_table(
        "sealed_secret",
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("owner", "name", name="pk_sealed_secret"),
    )
