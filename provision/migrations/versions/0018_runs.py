"""Runs: one way for every long action; what orders knew of their steps goes there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

moment = sa.DateTime(timezone=True)
OPEN = "state IN ('waiting', 'running')"


def upgrade() -> None:
    """Make the tables, and move the steps of each order into a run."""
    _runs()
    _steps_and_times()
    _move_orders()
    op.drop_table("order_step")
    op.drop_column("order", "attempt")


def _move_orders() -> None:
    """Give each order a run of its own number: one that was on its way goes on at once."""
    bind = op.get_bind()
    asked = "json_build_object" if bind.dialect.name == "postgresql" else "json_object"
    bind.execute(
        sa.text(
            "INSERT INTO run (id, kind, subject, subscriber_id, asked, asked_by, asked_at, queue, "
            "server, state, priority, attempt, tries, exit_code, due_at, owner, mark, code, "
            "ends_asked, message, hint) "
            "SELECT wish.id, 'order', 'order:' || wish.id, wish.subscriber_id, "
            f"{asked}('order', wish.id), '', wish.placed_at, 'servers', "
            "bundle.server, CASE wish.state WHEN 'placed' THEN 'waiting' "
            "WHEN 'provisioning' THEN 'running' WHEN 'delivered' THEN 'done' ELSE wish.state END, "
            "10, wish.attempt, 0, 0, wish.placed_at, '', '', '', '', '', '' "
            'FROM "order" AS wish JOIN bundle ON bundle.id = wish.bundle_id'
        )
    )
    bind.execute(
        sa.text(
            "INSERT INTO run_step (run_id, position, name, state, milliseconds, message) "
            "SELECT order_id, position, name, state, milliseconds, message FROM order_step"
        )
    )
    if bind.dialect.name == "postgresql":
        bind.execute(
            sa.text(
                "SELECT setval(pg_get_serial_sequence('run', 'id'), "
                "(SELECT COALESCE(MAX(id), 0) + 1 FROM run), false)"
            )
        )


def _runs() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("kind", "subject")),
        sa.Column("subscriber_id", sa.Integer),
        sa.Column("asked", sa.JSON, nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("asked_at", moment, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("queue", "server", "state")),
        *(
            sa.Column(name, sa.Integer, nullable=False)
            for name in ("priority", "attempt", "tries", "exit_code")
        ),
        sa.Column("due_at", moment, nullable=False),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("owner", "mark", "code", "ends_asked", "message", "hint")
        ),
        *(sa.Column(name, moment) for name in ("lease_until", "began_at", "ended_at")),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscriber.id"], name="fk_run_subscriber_id"),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed', 'cancelled')", name="ck_run_state"
        ),
    )
    still = sa.text(OPEN)
    words = {"unique": True, "sqlite_where": still, "postgresql_where": still}
    op.create_index("uq_run_subject", "run", ["kind", "subject"], **words)  # type: ignore[arg-type]
    op.create_index("ix_run_subject_id", "run", ["subject", "id"])
    op.create_index("ix_run_state", "run", ["state", "server"])
    op.create_index("ix_run_subscriber_id", "run", ["subscriber_id"])


def _steps_and_times() -> None:
    op.create_table(
        "run_step",
        sa.Column("run_id", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("milliseconds", sa.Integer),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("facts", sa.JSON),
        sa.PrimaryKeyConstraint("run_id", "position", name="pk_run_step"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_run_step_run_id"),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed')", name="ck_run_step_state"
        ),
    )
    op.create_table(
        "schedule",
        *(sa.Column(name, sa.Text, nullable=False) for name in ("name", "times", "paused_why")),
        sa.Column("next_at", moment, nullable=False),
        sa.Column("last_at", moment),
        sa.Column("last_run", sa.Integer),
        sa.PrimaryKeyConstraint("name", name="pk_schedule"),
    )
    op.create_table(
        "run_line",
        sa.Column("run_id", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "position", name="pk_run_line"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_run_line_run_id"),
    )
