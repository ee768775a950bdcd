"""PostgreSQL looks at the rows of a statement together, and no more at each by itself.

A billing run copies thousands of rows at a time: asking for each of them took it half its time.
"""

from __future__ import annotations

from alembic import op

from provision.migrations import conditions
from provision.migrations.guards import guard_together

revision = "0009"
down_revision = "0008"

# The triggers that looked at single rows; each has a function of its name.
SINGLE = {
    "ledger_posting": ("ledger_posting_sealed",),
    "ledger_transaction": (
        "ledger_transaction_unbalanced",
        "ledger_transaction_empty",
        "ledger_transaction_gap",
        "ledger_transaction_closed",
    ),
    "line_share": ("line_share_sealed",),
    "invoice_line": ("invoice_line_inexact_sealed",),
    "invoice": ("invoice_inexact_gap_backwards",),
}


def upgrade() -> None:
    """Replace the triggers of what a billing run writes; those of SQLite stay as they are."""
    if op.get_context().dialect.name != "postgresql":
        return
    for table, names in SINGLE.items():
        for name in names:
            op.execute(f"DROP TRIGGER {name} ON {table}")
            op.execute(f"DROP FUNCTION paquet_{name}()")
    guard_together((*conditions.LEDGER, conditions.GAP, conditions.CLOSED, *conditions.INVOICES))
