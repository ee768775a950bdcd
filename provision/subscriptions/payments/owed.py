"""What is open on documents: their sum less all that was set against them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, select

from provision.errors import UsageRefused
from provision.subscriptions.documents import numbering, open_items
from provision.subscriptions.documents.drafts import CLAIMS
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.parties import identities
from provision.subscriptions.parties.models import Identity, PersonReference

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from typing import Any

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.parties.identities import Person


@dataclass(frozen=True)
class Owed:
    """A document and the cents that are open on it; `subscriber_id` is None once erased."""

    number: Number
    kind: str
    party: str
    subscriber_id: int | None
    subscription_id: int | None
    identity_id: int | None
    due_on: date
    gross: Cents
    vat: Cents
    units: Cents

    @property
    def shown(self) -> str:
        """The number as the document shows it."""
        return self.number.shown


def everything(session: Session, organisation_id: int) -> list[Owed]:
    """Return the documents of an organisation on which something is open, the oldest first."""
    left = Invoice.gross - open_items.set_against()
    asked = _question(Invoice.organisation_id == organisation_id, left > 0)
    return [_owed(row) for row in session.execute(asked)]


def find(session: Session, organisation_id: int, typed: str) -> Owed:
    """Return the document of this number, open or not, or raise UsageRefused."""
    series, number = numbering.parse(typed)
    return of(session, Number(organisation_id, series, number))


def of(session: Session, number: Number) -> Owed:
    """Return what is open on a document, or raise UsageRefused when there is none."""
    same = and_(*(getattr(Invoice, name) == value for name, value in number.columns.items()))
    row = session.execute(_question(same)).first()
    if row is None:
        raise UsageRefused(f"There is no document {number.shown}", "See: paquet invoice list")
    return _owed(row)


def persons(session: Session, organisation_id: int) -> dict[int, Person]:
    """Return who the open documents of an organisation name, by the number of the identity."""
    rows = session.execute(
        select(Identity.id, Identity.content)
        .join(Invoice, Invoice.identity_id == Identity.id)
        .where(
            Invoice.organisation_id == organisation_id,
            Invoice.gross - open_items.set_against() > 0,
        )
        .distinct()
    )
    return {number: identities.parse(content) for number, content in rows}


def spread(owed: Sequence[Owed], units: Cents) -> tuple[list[tuple[Owed, Cents]], Cents]:
    """Return how `units` pay the documents in this order, and what is left over."""
    parts = []
    for one in owed:
        part = min(one.units, units)
        units -= part
        if part:
            parts.append((one, part))
    return parts, units


def check_invoice(one: Owed) -> None:
    """Raise UsageRefused unless this is an invoice on which something is open."""
    if one.kind not in CLAIMS:
        raise UsageRefused(f"{one.shown} is a credit note", "Give the number of an invoice.")
    if not one.units:
        raise UsageRefused(f"Nothing is open on {one.shown}", "See: paquet invoice list --open")


def _question(*where: ColumnElement[bool]) -> Select[Any]:
    columns: list[Any] = [
        Invoice.organisation_id,
        Invoice.series,
        Invoice.number,
        Invoice.kind,
        Invoice.party,
        PersonReference.subscriber_id,
        Invoice.subscription_id,
        Invoice.identity_id,
        Invoice.due_on,
        Invoice.gross,
        Invoice.vat,
        open_items.set_against().label("allocated"),
    ]
    return (
        select(*columns)
        .outerjoin(PersonReference, PersonReference.reference == Invoice.party)
        .where(*where)
        .order_by(Invoice.due_on, Invoice.series, Invoice.number)
    )


def _owed(row: Any) -> Owed:  # noqa: ANN401 (a row)
    return Owed(
        number=Number(row.organisation_id, row.series, row.number),
        kind=row.kind,
        party=row.party,
        subscriber_id=row.subscriber_id,
        subscription_id=row.subscription_id,
        identity_id=row.identity_id,
        due_on=row.due_on,
        gross=row.gross,
        vat=row.vat,
        units=row.gross - int(row.allocated),
    )
