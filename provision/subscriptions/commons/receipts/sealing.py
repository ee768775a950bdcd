"""What seals a receipt: a hash over all that it says, so that a change of it is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.subscriptions.ledger import journal

if TYPE_CHECKING:
    from provision.database import Row

SEALED = (
    *("kind", "key", "issued_on", "received_on", "party", "identity_id", "units", "means"),
    *("first_day", "last_day", "articles"),
)


def digest(receipt: Row) -> str:
    """Return the SHA-256 of a receipt: of all but the number of the ledger entry that proves it.

    The giver is in it as a reference.
    """
    return journal.sha256(journal.document(receipt, SEALED))
