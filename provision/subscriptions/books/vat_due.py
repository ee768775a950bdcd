"""VAT on payments: what is due of a period because it was paid, and what waits for payment.

VAT on services is due when they are paid (CGI article 269-2-c), unless the seller opted for debits:
then it is due with the invoice. What is set against a document says how much of it is paid. A
credit note set against an invoice is a payment of the one and a repayment of the other. VAT of a
loss is never due: the ledger takes it back (article 272-1). What an invoice deducts of a deposit
was due when the deposit was paid: it counts once, as a repayment of the deposit on that day.

Rounding: what is paid of a document is apportioned to its VAT, by category and rate, before all
else (`money.apportion`), as reports do it. A period has the difference between its end and its
beginning, so that the periods of a document add up to its VAT, to the cent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain, groupby
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from sqlalchemy import and_, case, func, select

from provision.days import sensible_period
from provision.money import apportion
from provision.subscriptions.documents.allocating import LOSS, RECLAIM
from provision.subscriptions.documents.drafts import CREDITS
from provision.subscriptions.documents.models import (
    Allocation,
    DepositDeduction,
    Invoice,
    InvoiceLine,
    same_document,
)
from provision.subscriptions.ledger import chart
from provision.subscriptions.ledger.models import LedgerPosting, LedgerTransaction
from provision.subscriptions.offers.catalogue import Catalogue
from provision.subscriptions.offers.vat import ROUNDING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from typing import Any

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.parties.models import Organisation

    Key: TypeAlias = tuple[str, int]
    Kind: TypeAlias = tuple[str, int, str]

BATCH = 5_000
KIND = ("category", "rate", "abroad")  # what is added up together
KINDS = (InvoiceLine.vat_category, InvoiceLine.vat_rate, InvoiceLine.vat_abroad)


@dataclass(frozen=True)
class TaxDue:
    """Cents of one category (S, E, O, AE) and rate (2000 is 20 %) in a period.

    `abroad` says of buyers abroad why they are taxed so (see `treatments`), and is empty at home.
    `paid` holds the VAT, `base` is without it. `waiting` is at the end of the period,
    `waiting_before` on the day before it: due + lost + waiting = invoiced_vat + waiting_before.
    """

    category: str
    rate: int
    abroad: str = ""
    invoiced_net: Cents = 0
    invoiced_vat: Cents = 0
    paid: Cents = 0
    due: Cents = 0
    lost: Cents = 0
    waiting_before: Cents = 0
    waiting: Cents = 0

    @property
    def base(self) -> Cents:
        """What the VAT that is due is computed on."""
        return self.paid - self.due

    def plus(self, other: TaxDue) -> TaxDue:
        """Return the sum of both, under what this one is about."""
        sums = {
            name: getattr(self, name) + getattr(other, name)
            for name in vars(self)
            if name not in KIND
        }
        return replace(self, **sums)


@dataclass(frozen=True)
class VatStatement:
    """The rows of a period, and by how many cents 44571 grew in it: with lost VAT taken off."""

    rows: tuple[TaxDue, ...]
    account: Cents

    @property
    def unexplained(self) -> Cents:
        """What is on 44571 and in no row: 0 when documents and ledger agree."""
        due = sum(tax_due.due + tax_due.waiting - tax_due.waiting_before for tax_due in self.rows)
        return self.account - due


class _Paid(NamedTuple):
    """What was set against a document by a day: in all, as a loss, and the VAT of that loss."""

    units: Cents = 0
    loss: Cents = 0
    lost_vat: Cents = 0


class _RatePart(NamedTuple):
    """The lines of one category and rate of a document; a credit note's are below zero."""

    kind: Kind
    net: Cents
    vat: Cents


class _Document(NamedTuple):
    """A document as this looks at it; `on_debits`: its VAT is due with it.

    A deduction is one that takes back what is `repaid` of a deposit, all at once.
    """

    key: Key
    issued_on: date
    on_debits: bool
    parts: tuple[_RatePart, ...]
    repaid: _Paid | None = None


class _State(NamedTuple):
    """What is so of one part at the end of a day: is there, paid, settled (or due), lost."""

    vat: Cents
    paid: Cents
    settled: Cents
    lost: Cents


def statement(
    session: Session, owner: Organisation, first_day: date, last_day: date
) -> VatStatement:
    """Return what an organisation owes of VAT for the days from `first_day` to `last_day`.

    A payment counts on the day on which the bank booked it, whenever it was understood.
    """
    sensible_period(first_day, last_day, "a day of a VAT return")
    eve = first_day - timedelta(days=1)
    paid_before, paid = (_paid(session, owner.id, day) for day in (eve, last_day))
    tax_dues: dict[Kind, TaxDue] = {}
    documents = _documents(session, owner.id, last_day)
    for document in chain(documents, _deductions(session, owner.id, last_day)):
        before = _states(document, document.repaid or paid_before.get(document.key, _Paid()), eve)
        after = _states(document, document.repaid or paid.get(document.key, _Paid()), last_day)
        for part, *states in zip(document.parts, before, after, strict=True):
            row = _row(part, states[0], states[1], is_new=document.issued_on > eve)
            tax_dues[part.kind] = tax_dues.get(part.kind, TaxDue(*part.kind)).plus(row)
    rows = tuple(tax_dues[kind] for kind in sorted(tax_dues) if kind[0] != ROUNDING.category)
    return VatStatement(rows, _collected(session, owner.id, first_day, last_day))


def _states(document: _Document, paid: _Paid, day: date) -> list[_State]:
    if document.issued_on > day:
        return [_State(0, 0, 0, 0)] * len(document.parts)
    vat = [part.vat for part in document.parts]
    gross = [part.net + part.vat for part in document.parts]
    whole = sum(gross)
    sign = -1 if whole < 0 else 1  # what is set against it is above zero, also of a credit note
    # What is paid again after it was reclaimed is no more of it.
    units = min(paid.units, abs(whole))
    settled = vat if document.on_debits else apportion((*vat, whole - sum(vat)), sign * units)
    received = apportion(gross, sign * (units - paid.loss))
    lost = apportion(vat, sign * paid.lost_vat)
    return [_State(*each) for each in zip(vat, received, settled, lost, strict=False)]


def _row(part: _RatePart, before: _State, after: _State, *, is_new: bool) -> TaxDue:
    lost = after.lost - before.lost
    return TaxDue(
        *part.kind,
        invoiced_net=part.net if is_new else 0,
        invoiced_vat=part.vat if is_new else 0,
        paid=after.paid - before.paid,
        due=after.settled - before.settled - lost,
        lost=lost,
        waiting_before=before.vat - before.settled,
        waiting=after.vat - after.settled,
    )


def _documents(session: Session, owner_id: int, last_day: date) -> Iterator[_Document]:
    """Yield the documents issued by a day, with their lines added up by category and rate."""
    catalogue = Catalogue(session)
    rows = session.execute(_parts(owner_id, last_day), execution_options={"yield_per": BATCH})
    for key, group in groupby(rows, itemgetter(0, 1)):
        lines = list(group)
        *_key, issued_on, kind = lines[0][:4]
        sign = -1 if kind in CREDITS else 1
        parts = tuple(
            _RatePart((category, rate, abroad), sign * int(net), sign * int(vat))
            for *_head, category, rate, abroad, net, vat in lines
        )
        on_debits = catalogue.profile(owner_id, issued_on).vat_on_debits
        yield _Document((str(key[0]), int(key[1])), issued_on, on_debits, parts)


def _deductions(session: Session, owner_id: int, last_day: date) -> Iterator[_Document]:
    """Yield what invoices deducted of deposits by a day, in the words of a deposit's line."""
    deduction, line = DepositDeduction, InvoiceLine
    rows = session.execute(
        select(deduction.deducted_on, deduction.net, deduction.vat, *KINDS)
        .join(
            line,
            and_(
                line.organisation_id == deduction.organisation_id,
                line.series == deduction.deposit_series,
                line.number == deduction.deposit_number,
                line.vat_category != ROUNDING.category,
            ),
        )
        .where(deduction.organisation_id == owner_id, deduction.deducted_on <= last_day)
    )
    for on, net, vat, category, rate, abroad in rows:
        part = _RatePart((category, rate, abroad), -int(net), -int(vat))
        repaid = _Paid(int(net) + int(vat))
        yield _Document(("", 0), on, on_debits=False, parts=(part,), repaid=repaid)


def _parts(owner_id: int, last_day: date) -> Select[*tuple[Any, ...]]:
    document, line = Invoice, InvoiceLine
    columns = (document.series, document.number, document.issued_on, document.kind, *KINDS)
    return (
        select(*columns, func.sum(line.net), func.sum(line.vat))
        .join(line, same_document(Invoice, line))
        .where(document.organisation_id == owner_id, document.issued_on <= last_day)
        .group_by(*columns)
        .order_by(*columns)
    )


def _paid(session: Session, owner_id: int, day: date) -> dict[Key, _Paid]:
    """Return what was set against each document by the end of a day."""
    part, vat = Allocation, LedgerPosting
    lost = and_(
        part.kind == LOSS,
        vat.organisation_id == part.organisation_id,
        vat.number == part.entry_number,
        vat.account == chart.VAT_COLLECTED,
    )
    rows = session.execute(
        select(
            part.series,
            part.number,
            func.sum(part.units),
            func.sum(case((part.kind == LOSS, part.units), else_=0)),
            func.sum(func.coalesce(vat.units, 0)),
        )
        .outerjoin(vat, lost)
        .where(part.organisation_id == owner_id, part.allocated_on <= day, part.kind != RECLAIM)
        .group_by(part.series, part.number)
    )
    return {(series, number): _Paid(*map(int, sums)) for series, number, *sums in rows}


def _collected(session: Session, owner_id: int, first_day: date, last_day: date) -> Cents:
    """Return by how much 44571 grew on the days of a period."""
    entry, line = LedgerTransaction, LedgerPosting
    units = session.scalar(
        select(func.sum(line.units))
        .join(
            entry, and_(entry.organisation_id == line.organisation_id, entry.number == line.number)
        )
        .where(
            line.organisation_id == owner_id,
            line.account == chart.VAT_COLLECTED,
            entry.effective_on.between(first_day, last_day),
        )
    )
    return -int(units or 0)
