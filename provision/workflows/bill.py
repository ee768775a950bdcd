"""Bill what is due: only on a ledger of which every invariant holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.errors import PaquetError, UsageRefused
from provision.subscriptions.books import verify
from provision.subscriptions.selling import billing

if TYPE_CHECKING:
    from datetime import date

    from provision.subscriptions.selling.billing import BillingOutcome
    from provision.workflows.control import Control


def preview(control: Control, day: date) -> BillingOutcome:
    """Return what a run of `day` would issue; nothing is written."""
    with control.session() as session:
        return billing.preview(session, day)


def bill(control: Control, day: date) -> BillingOutcome:
    """Run the billing of `day`. Raises PaquetError when something in the ledger is not whole.

    A day that is still to come is refused: its documents would stop all earlier ones of a series.
    """
    if day > control.today():
        raise UsageRefused(f"{day} is still to come", "Bill on that day; look with --dry-run.")
    with control.reading() as session:
        discrepancies = verify.verify(session, seals=False)
    if discrepancies:
        raise PaquetError(
            f"The ledger is not whole: {discrepancies[0].where}: {discrepancies[0].what}",
            "See all of it: paquet books verify. Nothing is billed before.",
        )
    return billing.bill(control.engine, day, control.tell)
