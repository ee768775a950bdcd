"""Read the whole of the money again and say what is not as it must be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select, tuple_

from provision.subscriptions.commons.receipts import sealing
from provision.subscriptions.documents import numbering
from provision.subscriptions.documents.receipt_models import Receipt
from provision.subscriptions.documents.seals import broken_documents, broken_shares
from provision.subscriptions.ledger import invariants, journal
from provision.subscriptions.ledger.invariants import Discrepancy
from provision.subscriptions.ledger.models import LedgerTransaction
from provision.subscriptions.ledger.seals import BATCH, broken_entries, closed
from provision.subscriptions.parties.models import Organisation
from provision.subscriptions.selling import two_contracts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Head:
    """The end of a journal: note it elsewhere, and nobody can take entries off the end unseen."""

    organisation: str
    entries: int
    hash: str


def verify(session: Session, *, seals: bool = True) -> list[Discrepancy]:
    """Return what is wrong in journals, documents, shares and payments: nothing when all is well.

    Without `seals` sums and numbers are checked by the database alone, in a second or two for a
    hundred thousand subscribers; with them every entry, document and receipt is hashed
    again.
    """
    discrepancies = [
        *invariants.broken(session),
        *closed(session),
        *broken_shares(session),
        *two_contracts.broken_splits(session),
    ]
    if seals:
        for broken in (broken_entries, broken_documents, broken_receipts):
            discrepancies += broken(session)
    return discrepancies


def broken_receipts(session: Session) -> Iterator[Discrepancy]:
    """Hash every receipt again."""
    receipt = Receipt
    query = select(*receipt.__table__.columns).order_by(
        receipt.organisation_id, receipt.series, receipt.number
    )
    for row in session.execute(query, execution_options={"yield_per": BATCH}).mappings():
        if sealing.digest(dict(row)) != row["digest"]:
            shown = numbering.shown(row["series"], row["number"])
            yield Discrepancy(
                f"organisation {row['organisation_id']}, receipt {shown}",
                "its content was changed after it was issued",
            )


def heads(session: Session) -> list[Head]:
    """Return the end of each organisation's journal."""
    entry = LedgerTransaction
    ends = select(entry.organisation_id, func.max(entry.number)).group_by(entry.organisation_id)
    rows = select(entry.organisation_id, entry.number, entry.hash).where(
        tuple_(entry.organisation_id, entry.number).in_(ends)
    )
    last = {owner: (number, sealed) for owner, number, sealed in session.execute(rows)}
    names = session.execute(select(Organisation.id, Organisation.name).order_by(Organisation.name))
    return [Head(name, *last.get(owner, (0, journal.GENESIS))) for owner, name in names]
