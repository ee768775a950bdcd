"""A debit that pays several invoices of one mandate: the name under which the bank has it."""

from __future__ import annotations

from alembic import op

from provision.migrations.tables import words

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the name; what was collected before was one debit for each invoice, and has none."""
    op.add_column("collection_item", words("debit", default=""))
