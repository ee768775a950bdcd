"""Mandates, collections, bank statements, what movements were booked as, and reminders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from provision.migrations.guards import RowGuard, guard
from provision.migrations.tables import day, number, refer, table, units, words

revision = "0007"
down_revision = "0006"

INVOICE = ("organisation_id", "series", "number")
COLLECTION = ("organisation_id", "collection")
ADDED_ONLY = {
    "collection": (("organisation_id", "number"), ("organisation_id", "key")),
    "collection_item": ((*COLLECTION, "position"), ("organisation_id", "end_to_end")),
    "collection_file": ((*COLLECTION, "position"), ("organisation_id", "message_id")),
    "collection_answer": (("organisation_id", "end_to_end", "position"),),
    "bank_statement": (("id",),),
    "bank_movement": (("id",), ("key", "organisation_id")),
    "movement_booking": (("movement_id", "position"),),
    "dunning_step": ((*INVOICE, "position"),),
    "dunning_pause": (("id",),),
    "dunning_resume": (("pause_id",),),
    "dunning_mark": (("id",),),
}
CHECKS = (
    RowGuard(
        "collection_item",
        "twice",
        """EXISTS (SELECT 1 FROM collection_item AS there
            WHERE there.invoice = NEW.invoice AND there.series = NEW.series
            AND there.organisation_id = NEW.organisation_id
            AND NOT EXISTS (SELECT 1 FROM collection_answer AS answer
                            WHERE answer.organisation_id = there.organisation_id
                            AND answer.end_to_end = there.end_to_end
                            AND answer.state IN ('refused', 'returned')))""",
        "an invoice is collected once at a time",
    ),
    RowGuard(
        "collection_answer",
        "order",
        """NEW.position = 2 AND NOT EXISTS (SELECT 1 FROM collection_answer AS there
            WHERE there.organisation_id = NEW.organisation_id
            AND there.end_to_end = NEW.end_to_end AND there.state = 'paid')""",
        "only a debit that was paid can come back",
    ),
    RowGuard(
        "movement_booking",
        "twice",
        """EXISTS (SELECT 1 FROM movement_booking AS there
            WHERE there.movement_id = NEW.movement_id
            AND (there.kind <> 'parked' OR there.position <> NEW.position - 1))""",
        "a movement of the bank is booked once",
    ),
    RowGuard(
        "dunning_step",
        "same_day",
        """EXISTS (SELECT 1 FROM dunning_step AS there
            WHERE there.organisation_id = NEW.organisation_id AND there.series = NEW.series
            AND there.number = NEW.number AND there.reached_on >= NEW.reached_on)""",
        "an invoice reaches one step a day",
    ),
)
PINNED = {
    "mandate": ("id", "organisation_id", "subscriber_id", "reference", "creditor_identifier"),
}


def upgrade() -> None:
    """Make the tables, then the triggers that keep them."""
    _mandates()
    _collections()
    _statements()
    _reminders()
    guard(op.get_context().dialect.name, ADDED_ONLY, CHECKS, PINNED)


def _mandates() -> None:
    table(
        "mandate",
        number("id", key=True),
        number("organisation_id", to="organisation.id"),
        number("subscriber_id", to="subscriber.id"),
        *(words(name) for name in ("reference", "creditor_identifier", "holder")),
        *(words(name) for name in ("street", "postcode", "town", "country", "iban", "bic")),
        number("notice_days"),
        *(sa.Column(name, day) for name in ("signed_on", "collected_before", "ended_on")),
        words("ended_why"),
        sa.UniqueConstraint("organisation_id", "reference", name="uq_mandate_reference"),
        sa.CheckConstraint("notice_days BETWEEN 1 AND 365", name="ck_mandate_notice_days"),
    )
    op.create_index("ix_mandate_subscriber_id", "mandate", ["subscriber_id"])


def _collections() -> None:
    table(
        "collection",
        number("organisation_id", key=True, to="organisation.id"),
        number("number", key=True),
        words("key"),
        sa.Column("collect_on", day, nullable=False),
        words("made_at"),
        words("message_schema"),
        words("creditor"),
        sa.UniqueConstraint("key", "organisation_id", name="uq_collection_key"),
    )
    table(
        "collection_file",
        *_of_collection(),
        words("message_id"),
        number("count"),
        sa.Column("units", units, nullable=False),
        words("digest"),
        sa.UniqueConstraint("message_id", "organisation_id", name="uq_collection_file_message_id"),
    )
    table(
        "collection_item",
        *_of_collection(),
        words("end_to_end"),
        words("series"),
        number("invoice"),
        sa.Column("units", units, nullable=False),
        number("mandate_id", to="mandate.id"),
        number("file"),
        sa.Column("announced_on", day, nullable=False),
        sa.UniqueConstraint("end_to_end", "organisation_id", name="uq_collection_item_end_to_end"),
        sa.ForeignKeyConstraint(
            ["organisation_id", "series", "invoice"],
            ["invoice.organisation_id", "invoice.series", "invoice.number"],
            name="fk_collection_item_invoice",
        ),
        sa.CheckConstraint("units > 0", name="ck_collection_item_units"),
    )
    op.create_index(
        "ix_collection_item_invoice", "collection_item", ["invoice", "series", "organisation_id"]
    )
    table(
        "collection_answer",
        number("organisation_id", key=True),
        words("end_to_end", key=True),
        number("position", key=True),
        words("state"),
        words("reason"),
        number("entry_number", nullable=True),
        sa.Column("answered_on", day, nullable=False),
        sa.ForeignKeyConstraint(
            ["end_to_end", "organisation_id"],
            ["collection_item.end_to_end", "collection_item.organisation_id"],
            name="fk_collection_answer_item",
        ),
        sa.CheckConstraint(
            "(position = 1 AND state IN ('paid', 'refused')) "
            "OR (position = 2 AND state = 'returned')",
            name="ck_collection_answer_state",
        ),
    )


def _of_collection() -> tuple[sa.Column[int], sa.Column[int], sa.Column[int]]:
    return (
        number("organisation_id", key=True, to="organisation.id"),
        number("collection", key=True),
        number("position", key=True),
    )


def _statements() -> None:
    table(
        "bank_statement",
        number("id", key=True),
        number("organisation_id", to="organisation.id"),
        words("account"),
        words("number"),
        sa.Column("opened_on", day, nullable=False),
        sa.Column("closed_on", day, nullable=False),
        sa.Column("opening", units, nullable=False),
        sa.Column("closing", units, nullable=False),
        words("digest"),
        sa.Column("imported_on", day, nullable=False),
    )
    table(
        "bank_movement",
        number("id", key=True),
        number("statement_id", to="bank_statement.id"),
        number("organisation_id", to="organisation.id"),
        number("position"),
        words("key"),
        sa.Column("booked_on", day, nullable=False),
        sa.Column("units", units, nullable=False),
        words("content"),
        sa.UniqueConstraint("key", "organisation_id", name="uq_bank_movement_key"),
    )
    op.create_index("ix_bank_movement_statement_id", "bank_movement", ["statement_id"])
    table(
        "movement_booking",
        number("movement_id", key=True, to="bank_movement.id"),
        number("position", key=True),
        number("organisation_id", to="organisation.id"),
        words("kind"),
        words("why"),
        number("entry_number"),
        sa.Column("booked_on", day, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id", "entry_number"],
            ["ledger_transaction.organisation_id", "ledger_transaction.number"],
            name="fk_movement_booking_entry",
        ),
    )


def _reminders() -> None:
    table(
        "dunning_step",
        number("organisation_id", key=True),
        words("series", key=True),
        number("number", key=True),
        number("position", key=True),
        words("step"),
        sa.Column("reached_on", day, nullable=False),
        words("letter"),
        words("actor"),
        refer("invoice", INVOICE, "fk_dunning_step_invoice"),
    )
    table(
        "dunning_pause",
        *_about_a_subscriber(),
        sa.Column("first_day", day, nullable=False),
        sa.Column("last_day", day),
        words("reason"),
        words("actor"),
        sa.Column("recorded_on", day, nullable=False),
    )
    table(
        "dunning_resume",
        number("pause_id", key=True, to="dunning_pause.id"),
        sa.Column("from_day", day, nullable=False),
        words("actor"),
    )
    table(
        "dunning_mark",
        *_about_a_subscriber(),
        words("mark"),
        words("reason"),
        words("actor"),
        sa.Column("marked_on", day, nullable=False),
        sa.CheckConstraint("mark IN ('none', 'hardship', 'fraud')", name="ck_dunning_mark_mark"),
    )


def _about_a_subscriber() -> tuple[sa.Column[int], sa.Column[int], sa.Column[int]]:
    return (
        number("id", key=True),
        number("organisation_id", to="organisation.id"),
        number("subscriber_id", to="subscriber.id"),
    )
