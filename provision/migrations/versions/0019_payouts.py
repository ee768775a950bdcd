"""What card providers paid out, of which payments it is made, and what each was booked as."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from provision.migrations.guards import RowGuard, guard
from provision.migrations.tables import day, number, table, units, words

revision = "0019"
down_revision = "0018"

ADDED_ONLY = {
    "payout": (("id",), ("reference", "provider", "organisation_id")),
    "payout_booking": (("payment_id", "position"),),
}
CHECKS = (
    RowGuard(
        "payout_payment",
        "twice",
        """NEW.gross > 0 AND EXISTS (SELECT 1 FROM payout_payment AS there
            WHERE there.reference = NEW.reference AND there.provider = NEW.provider
            AND there.organisation_id = NEW.organisation_id AND there.gross > 0)""",
        "a payment is paid out once",
    ),
    RowGuard(
        "payout_booking",
        "twice",
        """EXISTS (SELECT 1 FROM payout_booking AS there
            WHERE there.payment_id = NEW.payment_id
            AND (there.kind <> 'parked' OR there.position <> NEW.position - 1))""",
        "a payment of a payout is booked once",
    ),
)
# What may say who paid (party, payer, what) changes when it is explained.
PINNED = {
    "payout_payment": (
        *("id", "payout_id", "organisation_id", "provider", "position"),
        *("reference", "paid_on", "gross", "fee"),
    ),
}


def upgrade() -> None:
    """Make the tables, then the triggers that keep them."""
    table(
        "payout",
        number("id", key=True),
        number("organisation_id", to="organisation.id"),
        words("provider"),
        words("reference"),
        sa.Column("paid_out_on", day, nullable=False),
        *(sa.Column(name, units, nullable=False) for name in ("gross", "fees", "net")),
        words("digest"),
        sa.Column("imported_on", day, nullable=False),
        sa.UniqueConstraint("reference", "provider", "organisation_id", name="uq_payout_reference"),
        sa.CheckConstraint("gross - fees = net", name="ck_payout_net"),
    )
    table(
        "payout_payment",
        number("id", key=True),
        number("payout_id", to="payout.id"),
        number("organisation_id", to="organisation.id"),
        words("provider"),
        number("position"),
        words("reference"),
        sa.Column("paid_on", day, nullable=False),
        *(sa.Column(name, units, nullable=False) for name in ("gross", "fee")),
        *(words(name, default="") for name in ("party", "payer", "what")),
        sa.UniqueConstraint("payout_id", "position", name="uq_payout_payment_position"),
        sa.CheckConstraint("gross <> 0 OR fee <> 0", name="ck_payout_payment_units"),
    )
    op.create_index("ix_payout_payment_reference", "payout_payment", ["reference"])
    op.create_index("ix_payout_payment_party", "payout_payment", ["party"])
    table(
        "payout_booking",
        number("payment_id", key=True, to="payout_payment.id"),
        number("position", key=True),
        number("organisation_id", to="organisation.id"),
        words("kind"),
        number("takes_back", nullable=True, to="payout_payment.id"),
        number("entry_number"),
        sa.Column("booked_on", day, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id", "entry_number"],
            ["ledger_transaction.organisation_id", "ledger_transaction.number"],
            name="fk_payout_booking_entry",
        ),
        sa.CheckConstraint(
            "kind IN ('payment', 'return', 'refund', 'fee', 'parked', 'awaited')",
            name="ck_payout_booking_kind",
        ),
    )
    op.create_index("ix_payout_booking_takes_back", "payout_booking", ["takes_back"])
    guard(op.get_context().dialect.name, ADDED_ONLY, CHECKS, PINNED)
