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


def receipt_facts(session: Session, receipt: Receipt) -> Facts:
    """Return what was received from whom, and what became of the receipt."""
    cancelled = recording.cancellation(session, receipt)
    return {
        "number": numbering.shown(receipt.series, receipt.number),
        "kind": receipt.kind,
        "of": copies.name_of(session, receipt),
        "subscriber": people.subscriber_of(session, receipt.party),
        "received": receipt.received_on.isoformat(),
        "amount": euros(receipt.units),
        "means": receipt.means,
        "from": receipt.first_day.isoformat() if receipt.first_day else None,
        "until": receipt.last_day.isoformat() if receipt.last_day else None,
        "tax_articles": receipt.articles,
        "copies": copies.handed_out(session, receipt),
        "cancelled": cancelled.cancelled_on.isoformat() if cancelled else None,
    }


def copy_facts(session: Session, receipt: Receipt, folder: Path) -> Facts:
    """Return the file that the next copy of a receipt will be, and which copy that is."""
    place = copies.coming(session, receipt)
    return {"file": str(folder / place.name), "copy": place.state}
