"""What commands show of a receipt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.money import euros
from provision.subscriptions.commons.receipts import copies, recording
from provision.subscriptions.documents import numbering
from provision.subscriptions.parties import people

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from provision.commands.shared.tables import Facts
    from provision.subscriptions.documents.receipt_models import Receipt


def receipt_facts(session: Session, one: Receipt) -> Facts:
    """Return what was received from whom, and what became of the receipt."""
    cancelled = recording.cancellation(session, one)
    return {
        "number": numbering.shown(one.series, one.number),
        "kind": one.kind,
        "of": copies.name_of(session, one),
        "subscriber": people.subscriber_of(session, one.party),
        "received": one.received_on.isoformat(),
        "amount": euros(one.units),
        "means": one.means,
        "from": one.first_day.isoformat() if one.first_day else None,
        "until": one.last_day.isoformat() if one.last_day else None,
        "tax_articles": one.articles,
        "copies": copies.handed_out(session, one),
        "cancelled": cancelled.cancelled_on.isoformat() if cancelled else None,
    }


def copy_facts(session: Session, one: Receipt, folder: Path) -> Facts:
    """Return the file that the next copy of a receipt will be, and which copy that is."""
    place = copies.coming(session, one)
    return {"file": str(folder / place.name), "copy": place.state}
