"""The end of a year: what was invoiced for days that are still to come is not earned yet.

Plan comptable général: the part of a revenue for days after the closing goes to 487, the part of a
purchase to 486; both are taken back on the next day. Days decide, by `terms.prorated`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, select

from provision.days import ONE_DAY
from provision.errors import UsageRefused
from provision.money import EUR, Amount
from provision.subscriptions.documents.drafts import CREDIT_NOTE
from provision.subscriptions.documents.models import (
    Invoice,
    InvoiceLine,
    LineShare,
    Settlement,
    same_document,
)
from provision.subscriptions.ledger import chart, posting
from provision.subscriptions.ledger.journal import Entry, Line
from provision.subscriptions.ledger.models import LedgerPosting, LedgerTransaction
from provision.subscriptions.offers.terms import Term, prorated
from provision.subscriptions.offers.vat import ROUNDING

if TYPE_CHECKING:
    from datetime import date
    from typing import Any

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import InstrumentedAttribute, Session

    from provision.money import Cents
    from provision.subscriptions.parties.models import Organisation

KEY, REVERSED = "cut-off:", ":reversed"  # what the keys of its entries begin and end with


@dataclass(frozen=True)
class CutOff:
    """Cents that belong to later days: of what was sold, and of what was bought for it."""

    sold: Cents
    bought: Cents


def find(session: Session, organisation: Organisation, last_day: date) -> CutOff:
    """Return what the books of an organisation hold for the days after `last_day`."""
    own = _later(session, Invoice.organisation_id == organisation.id, InvoiceLine.net, last_day)
    from_others = _later(session, _settled_to(organisation, last_day), LineShare.units, last_day)
    to_others = _later(session, _settled_by(organisation, last_day), LineShare.units, last_day)
    return CutOff(sold=own + from_others, bought=to_others)


def missing(session: Session, organisation: Organisation, last_day: date) -> CutOff:
    """Return what `find` returns, less what was entered for this day by now.

    Below zero for what was entered too much: a document came, or was settled, after the entry.
    """
    off, there = find(session, organisation, last_day), _entered(session, organisation, last_day)
    return CutOff(
        off.sold - there[chart.DEFERRED_REVENUE], off.bought - there[chart.PREPAID_EXPENSE]
    )


def post(session: Session, organisation: Organisation, last_day: date, today: date) -> CutOff:
    """Enter what is missing of the cut-off of `last_day`, and its reversal on the next day.

    Returns what was entered: done again, nothing, unless something differs by then.
    """
    if last_day >= today:
        raise UsageRefused(f"{last_day} is not over", "Cut a year off when it has ended.")
    off = missing(session, organisation, last_day)
    lines = [
        *_pair(chart.SERVICES_SOLD, chart.DEFERRED_REVENUE, off.sold),
        *_pair(chart.PREPAID_EXPENSE, chart.PURCHASED_SERVICES, off.bought),
    ]
    if not lines:
        return off
    key, text = _next_key(session, organisation, last_day), f"Régularisation au {last_day}"
    entry = Entry(organisation.id, last_day, text, key, tuple(lines))
    posting.post(session, entry, today)
    mirrored = tuple(replace(line, amount=-line.amount) for line in lines)
    back = replace(
        entry,
        effective_on=last_day + ONE_DAY,
        text=f"{text}, reprise",
        key=f"{key}{REVERSED}",
        lines=mirrored,
    )
    posting.post(session, back, today)
    return off


def _entered(session: Session, organisation: Organisation, last_day: date) -> dict[str, Cents]:
    """Return what the entries of this cut-off put off, by account (487, 486), above zero."""
    accounts = (chart.DEFERRED_REVENUE, chart.PREPAID_EXPENSE)
    entry, line = LedgerTransaction, LedgerPosting
    rows = session.execute(
        select(line.account, func.sum(line.units))
        .join(
            entry, (entry.organisation_id == line.organisation_id) & (entry.number == line.number)
        )
        .where(_of_day(organisation, last_day), line.account.in_(accounts))
        .group_by(line.account)
    )
    held = {account: int(units) for account, units in rows}
    return {
        chart.DEFERRED_REVENUE: -held.get(chart.DEFERRED_REVENUE, 0),
        chart.PREPAID_EXPENSE: held.get(chart.PREPAID_EXPENSE, 0),
    }


def _next_key(session: Session, organisation: Organisation, last_day: date) -> str:
    there = select(func.count()).select_from(LedgerTransaction)
    count = session.scalar(there.where(_of_day(organisation, last_day))) or 0
    return f"{KEY}{last_day}" if not count else f"{KEY}{last_day}:{count + 1}"


def _of_day(organisation: Organisation, last_day: date) -> ColumnElement[bool]:
    """Tell which entries are those of a cut-off: the reversals are of the next day."""
    return and_(
        LedgerTransaction.organisation_id == organisation.id,
        LedgerTransaction.effective_on == last_day,
        LedgerTransaction.idempotency_key.startswith(f"{KEY}{last_day}"),
    )


def _pair(debit: str, credit: str, units: Cents) -> list[Line]:
    if not units:
        return []
    return [Line(debit, Amount(EUR, units)), Line(credit, Amount(EUR, -units))]


def _later(
    session: Session,
    whose: ColumnElement[bool],
    units: InstrumentedAttribute[int],
    last_day: date,
) -> Cents:
    """Add up which part of each line lies after `last_day`."""
    query = (
        select(Invoice.kind, InvoiceLine.starts_on, InvoiceLine.ends_on, units)
        .join(InvoiceLine, same_document(InvoiceLine, Invoice))
        .where(
            whose,
            Invoice.issued_on <= last_day,
            InvoiceLine.ends_on > last_day,
            InvoiceLine.vat_category != ROUNDING.category,
        )
    )
    if units is LineShare.units:
        query = query.join(
            LineShare,
            and_(
                same_document(LineShare, InvoiceLine),
                LineShare.line == InvoiceLine.line,
            ),
        )
    total = 0
    for kind, starts, ends, line in session.execute(query):
        if starts is None or ends is None:
            continue  # a line that is not for days
        later = _part(line, Term(starts, ends + ONE_DAY), last_day)
        total += -later if kind == CREDIT_NOTE else later
    return total


def _part(units: Cents, term: Term, last_day: date) -> Cents:
    return prorated(units, term, Term(max(term.starts, last_day + ONE_DAY), term.until))


def _settled_to(organisation: Organisation, last_day: date) -> ColumnElement[bool]:
    """Tell which shares of others' sales the organisation has in its books."""
    return and_(
        LineShare.beneficiary_id == organisation.id,
        Invoice.organisation_id != organisation.id,
        Invoice.entry_number <= _last_settled(Invoice.organisation_id, organisation.id, last_day),
    )


def _settled_by(organisation: Organisation, last_day: date) -> ColumnElement[bool]:
    """Tell which shares of its sales the organisation has bought from others."""
    return and_(
        Invoice.organisation_id == organisation.id,
        LineShare.beneficiary_id != organisation.id,
        Invoice.entry_number <= _last_settled(organisation.id, LineShare.beneficiary_id, last_day),
    )


def _last_settled(seller: Any, beneficiary: Any, last_day: date) -> Any:  # noqa: ANN401 (columns or numbers)
    """Return the last entry whose shares were in both books by the end of `last_day`."""
    return (
        select(func.coalesce(func.max(Settlement.last_entry), 0))
        .where(
            Settlement.seller_id == seller,
            Settlement.beneficiary_id == beneficiary,
            Settlement.made_on <= last_day,
        )
        .correlate(Invoice, LineShare)
        .scalar_subquery()
    )
