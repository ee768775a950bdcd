"""Read the whole of the money again and say what is not as it must be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.subscriptions import (
    invariants,
    journal,
    verify_invoices,
    verify_journals,
    verify_receipts,
    verify_two_contracts,
)
from provision.subscriptions.ledger_models import LedgerTransaction
from provision.subscriptions.models import Organisation

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.subscriptions.invariants import Finding


@dataclass(frozen=True)
class Head:
    """The end of a journal: note it elsewhere, and nobody can take entries off the end unseen."""

    organisation: str
    entries: int
    hash: str


def verify(session: Session, *, seals: bool = True) -> list[Finding]:
    """Return what is wrong in journals, documents, shares and payments: nothing when all is well.

    Without `seals` sums and numbers are checked by the database alone, in a second or two for a
    hundred thousand subscribers; with them every entry, document and receipt is hashed
    again.
    """
    found = [
        *invariants.broken(session),
        *verify_journals.closed(session),
        *verify_invoices.dealt(session),
        *verify_two_contracts.dealt(session),
    ]
    if seals:
        for room in (verify_journals, verify_invoices, verify_receipts):
            found += room.seals(session)
    return found


def heads(session: Session) -> list[Head]:
    """Return the end of each organisation's journal."""
    last: dict[int, tuple[int, str]] = {}
    rows = session.execute(
        select(
            LedgerTransaction.organisation_id, LedgerTransaction.number, LedgerTransaction.hash
        ).order_by(LedgerTransaction.organisation_id, LedgerTransaction.number)
    )
    for owner, number, sealed in rows:
        last[owner] = (number, sealed)
    names = session.execute(select(Organisation.id, Organisation.name).order_by(Organisation.name))
    return [Head(name, *last.get(owner, (0, journal.GENESIS))) for owner, name in names]
