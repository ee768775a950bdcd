"""An invoice whose payment went back: what it loses is open on it again.

Whoever takes a payment back (the bank a debit, a provider a card payment) does it by these two.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provision.subscriptions.documents import allocating
from provision.subscriptions.documents.allocating import RECLAIM, RETURN
from provision.subscriptions.ledger import chart
from provision.subscriptions.payments import paying
from provision.subscriptions.payments.booking import line

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.documents.open_items import OpenItem
    from provision.subscriptions.ledger.journal import Line


@dataclass(frozen=True)
class Reopening:
    """An invoice whose payment goes back, the cents that it loses, and its ledger lines.

    `reclaimed` are the cents that had been too much, and are with the customer already.
    """

    document: OpenItem
    units: Cents
    reclaimed: Cents
    lines: tuple[Line, ...]


@dataclass
class CreditLeft:
    """What customers have on 4197 while payments go back together, read once for each."""

    session: Session
    organisation_id: int
    left: dict[str, Cents] = field(default_factory=dict)

    def take(self, party: str, units: Cents) -> Cents:
        """Take up to `units` of a customer's credit, and return how much there was."""
        if party not in self.left:
            self.left[party] = paying.credit(self.session, self.organisation_id, party)
        taken = max(min(units, self.left[party]), 0)
        self.left[party] -= taken
        return taken


def reopening(document: OpenItem, units: Cents, beyond: Cents, credit: CreditLeft) -> Reopening:
    """Return what goes back of an invoice's part (`units`), and of the credit that was `beyond` it.

    Where that credit was paid back or used, the invoice asks for it again, as far as it can: what a
    customer owes is open on a document.
    """
    missing = beyond - credit.take(document.party, beyond)
    reclaimed = min(missing, document.gross - document.units - units)
    amounts = (
        (chart.CUSTOMERS, units + reclaimed),
        (chart.CUSTOMER_CREDIT, beyond - reclaimed),
    )
    lines = tuple(line(account, part, document.party) for account, part in amounts if part)
    return Reopening(document, units, reclaimed, lines)


def reopen(session: Session, reopened: Reopening, entry: tuple[int, date]) -> None:
    """Open the invoice again; `entry` is the ledger entry that says so, and its day."""
    for units, kind in ((reopened.units, RETURN), (reopened.reclaimed, RECLAIM)):
        if units:
            allocating.allocate(session, reopened.document.number, -units, kind, entry)
