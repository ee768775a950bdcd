"""What is open on documents: their sum less what was set against them. There is no other answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision.errors import UsageRefused
from provision.money import euros
from provision.subscriptions.documents import numbering
from provision.subscriptions.documents.drafts import CLAIMS, CREDITS
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.documents.models import Allocation, Invoice, same_document
from provision.subscriptions.parties import identities, people
from provision.subscriptions.parties.models import Identity, Organisation, PersonReference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date
    from typing import Any

    from sqlalchemy import ColumnElement, ScalarSelect, Select
    from sqlalchemy.orm import Session

    from provision.money import Amount, Cents
    from provision.subscriptions.parties.identities import Person

PIECE = 5_000  # rows that are held at one time
BY_NUMBER = (Invoice.organisation_id, Invoice.series, Invoice.number)
COLUMNS = (
    *BY_NUMBER,
    Invoice.kind,
    Invoice.party,
    Invoice.subscription_id,
    Invoice.issued_on,
    Invoice.due_on,
    Invoice.gross,
    Invoice.vat,
)
OLDEST_FIRST = (Invoice.due_on, Invoice.series, Invoice.number)


@dataclass(frozen=True)
class OpenItem:
    """A document and the `units`, in cents, that are open on it: 0 when it is paid, or used.

    `identity` is the content of the identity that it names, and `organisation` the name of the
    organisation that it is for; `subscriber_id` is None once the subscriber was erased. Of a credit
    note `gross` and `units` are above zero too; `asked` and `open` are below.
    """

    number: Number
    kind: str
    party: str
    subscriber_id: int | None
    subscription_id: int | None
    issued_on: date
    due_on: date
    gross: Cents
    vat: Cents
    units: Cents
    identity: str = ""
    organisation: str = ""

    @property
    def shown(self) -> str:
        """The number as the document shows it."""
        return self.number.shown

    @property
    def person(self) -> Person | None:
        """Who the document names; None for an organisation, and once it was erased."""
        return identities.parse(self.identity) if self.identity else None

    @property
    def name(self) -> str:
        """The name of whom it is for, or ''."""
        return self.person.name if self.person else self.organisation

    @property
    def asked(self) -> Amount:
        """All that it asks for; of a credit note below zero."""
        return euros(self._sign * self.gross)

    @property
    def open(self) -> Amount:
        """What is open on it; of a credit note below zero."""
        return euros(self._sign * self.units)

    @property
    def _sign(self) -> int:
        return -1 if self.kind in CREDITS else 1

    def state(self, today: date) -> str:
        """Return paid, overdue or issued; a credit note is used or open."""
        if not self.units:
            return "used" if self.kind in CREDITS else "paid"
        if self.kind in CREDITS:
            return "open"
        return "overdue" if self.due_on < today else "issued"


def documents(
    session: Session, organisation_id: int | None = None, since: date | None = None
) -> list[OpenItem]:
    """Return documents of one organisation, or of all, by number: open or not."""
    query = _question(set_against()).order_by(*BY_NUMBER)
    if organisation_id is not None:
        query = query.where(Invoice.organisation_id == organisation_id)
    if since is not None:
        query = query.where(Invoice.issued_on >= since)
    return [_item(row) for row in session.execute(query)]


def everything(session: Session, organisation_id: int) -> list[OpenItem]:
    """Return the documents of an organisation on which something is open, the oldest first."""
    query = _question(set_against()).where(Invoice.organisation_id == organisation_id, left() > 0)
    return [_item(row) for row in session.execute(query.order_by(*OLDEST_FIRST))]


def claims(session: Session, day: date, whose: ColumnElement[bool]) -> Iterator[OpenItem]:
    """Yield the invoices on which something was open at the end of a day, by number.

    `whose` is a condition on Invoice. What was set against them later does not count.
    """
    query = (
        _question(set_against(until=day))
        .where(Invoice.kind.in_(CLAIMS), Invoice.issued_on <= day, left(day) > 0, whose)
        .order_by(*BY_NUMBER)
        .execution_options(yield_per=PIECE)
    )
    return map(_item, session.execute(query))


def find(session: Session, organisation_id: int, typed: str) -> OpenItem:
    """Return the document of this number, open or not, or raise UsageRefused."""
    return of(session, Number(organisation_id, *numbering.parse(typed)))


def of(session: Session, number: Number) -> OpenItem:
    """Return what is open on a document, or raise UsageRefused when there is none."""
    row = session.execute(_question(set_against()).where(_is(number))).first()
    if row is None:
        raise UsageRefused(f"There is no document {number.shown}", "See: paquet invoice list")
    return _item(row)


def left_on(session: Session, invoice: Invoice) -> Cents:
    """Return what is open on a document, in cents."""
    return invoice.gross - set_so_far(session, invoice)


def left(until: date | None = None) -> ColumnElement[int]:
    """Return what is open on a document, by a day or now, for a query over Invoice."""
    return Invoice.gross - set_against(until=until)


def set_so_far(session: Session, invoice: Invoice, *kinds: str) -> Cents:
    """Return the cents that were set against the document, of these kinds or of all."""
    return int(session.scalars(select(set_against(*kinds)).where(_is(invoice))).one())


def set_against(*kinds: str, until: date | None = None) -> ScalarSelect[int]:
    """Return the sum of what was set against a document, of these kinds or of all, by a day or now.

    It is for a query over Invoice.
    """
    units = select(func.coalesce(func.sum(Allocation.units), 0))
    units = units.where(same_document(Allocation, Invoice))
    if kinds:
        units = units.where(Allocation.kind.in_(kinds))
    if until is not None:
        units = units.where(Allocation.allocated_on <= until)
    return units.correlate(Invoice).scalar_subquery()


def spread(items: Sequence[OpenItem], units: Cents) -> tuple[list[tuple[OpenItem, Cents]], Cents]:
    """Return how `units` pay the documents in this order, and what is left over."""
    parts = []
    for item in items:
        part = min(item.units, units)
        units -= part
        if part:
            parts.append((item, part))
    return parts, units


def check_invoice(item: OpenItem) -> None:
    """Raise UsageRefused unless this is an invoice on which something is open."""
    if item.kind not in CLAIMS:
        raise UsageRefused(f"{item.shown} is a credit note", "Give the number of an invoice.")
    if not item.units:
        raise UsageRefused(f"Nothing is open on {item.shown}", "See: paquet invoice list --open")


def _is(document: Invoice | Number) -> ColumnElement[bool]:
    return same_document(Invoice, document)


def _question(against: ScalarSelect[int]) -> Select[Any]:
    columns: list[Any] = [
        *COLUMNS,
        against.label("against"),
        PersonReference.subscriber_id,
        Identity.content,
        Organisation.name,
    ]
    return (
        select(*columns)
        .select_from(Invoice)
        .outerjoin(PersonReference, PersonReference.reference == Invoice.party)
        .outerjoin(Identity, Identity.id == Invoice.identity_id)
        .outerjoin(Organisation, Invoice.party == people.reference_of(Organisation.id))
    )


def _item(row: Any) -> OpenItem:  # noqa: ANN401 (a row)
    return OpenItem(
        number=Number(row.organisation_id, row.series, row.number),
        kind=row.kind,
        party=row.party,
        subscriber_id=row.subscriber_id,
        subscription_id=row.subscription_id,
        issued_on=row.issued_on,
        due_on=row.due_on,
        gross=row.gross,
        vat=row.vat,
        units=row.gross - int(row.against),
        identity=row.content or "",
        organisation=row.name or "",
    )
