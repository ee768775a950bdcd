"""What is open on documents: their amount less what was set against them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision.money import euros
from provision.subscriptions.documents import numbering
from provision.subscriptions.documents.drafts import CREDITS
from provision.subscriptions.documents.models import Allocation, Invoice, same_document
from provision.subscriptions.parties import identities, people
from provision.subscriptions.parties.models import Identity, Organisation

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import ScalarSelect
    from sqlalchemy.orm import Session

    from provision.money import Amount


@dataclass(frozen=True)
class Document:
    """One document as a list shows it; of a credit note all amounts are below zero."""

    organisation_id: int
    series: str
    number: int
    kind: str
    party: str
    name: str
    issued_on: date
    due_on: date
    gross: Amount
    open: Amount

    @property
    def shown(self) -> str:
        """The number as the document shows it."""
        return numbering.shown(self.series, self.number)

    def state(self, today: date) -> str:
        """Return paid, overdue or issued; a credit note is used or open."""
        if not self.open.units:
            return "used" if self.kind in CREDITS else "paid"
        if self.kind in CREDITS:
            return "open"
        return "overdue" if self.due_on < today else "issued"


def documents(
    session: Session, organisation_id: int | None = None, since: date | None = None
) -> list[Document]:
    """Return documents of one organisation, or of all, by number."""
    query = (
        select(Invoice, set_against(), Identity.content, Organisation.name)
        .outerjoin(Identity, Identity.id == Invoice.identity_id)
        .outerjoin(Organisation, Invoice.party == people.reference_of(Organisation.id))
        .order_by(Invoice.organisation_id, Invoice.series, Invoice.number)
    )
    if organisation_id is not None:
        query = query.where(Invoice.organisation_id == organisation_id)
    if since is not None:
        query = query.where(Invoice.issued_on >= since)
    return [_document(*row) for row in session.execute(query)]


def set_against(*kinds: str) -> ScalarSelect[int]:
    """Return the sum of what was set against a document, of these kinds or of all.

    It is for a query over Invoice.
    """
    found = select(func.coalesce(func.sum(Allocation.units), 0))
    found = found.where(same_document(Allocation, Invoice))
    if kinds:
        found = found.where(Allocation.kind.in_(kinds))
    return found.correlate(Invoice).scalar_subquery()


def _document(row: Invoice, against: int, content: str | None, name: str | None) -> Document:
    sign = -1 if row.kind in CREDITS else 1
    person = identities.parse(content).name if content else name
    return Document(
        organisation_id=row.organisation_id,
        series=row.series,
        number=row.number,
        kind=row.kind,
        party=row.party,
        name=person or "",
        issued_on=row.issued_on,
        due_on=row.due_on,
        gross=euros(sign * row.gross),
        open=euros(sign * (row.gross - int(against))),
    )
