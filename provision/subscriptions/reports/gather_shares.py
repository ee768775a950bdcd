"""What subscribers paid, cut by what it was for: from what is set against documents, by month.

A month's payments of exactly a whole document are added up by the database. Only documents that
were paid in parts are read one by one, since each cent of a part must go to somebody: it is
apportioned to VAT first, by category and rate, as a VAT statement does it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from sqlalchemy import Integer, Text, and_, case, cast, func, literal, null, select, union_all
from sqlalchemy.orm import aliased

from provision.money import apportion
from provision.subscriptions.commons.in_kind import LOCAL
from provision.subscriptions.documents import deducting
from provision.subscriptions.documents.allocating import PAYMENT, RECLAIM, REFUND, RETURN
from provision.subscriptions.documents.drafts import CREDIT_NOTE, DEPOSIT
from provision.subscriptions.documents.models import (
    Allocation,
    Invoice,
    InvoiceLine,
    LineShare,
    same_document,
)
from provision.subscriptions.reports import gather_scope

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sqlalchemy import CTE, ColumnElement, Row, Select, Subquery
    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.reports.gather_scope import Scope

PIECE = 5_000  # rows that are held at one time
# Money that came from subscribers, or went back to them. A local currency is taken one for one
# euro. What a fund, a credit or a loss settles, and what is bartered, nobody paid. A deposit is
# nobody's income before it is deducted: it counts with the invoice that deducts it, or that
# what is given back of it is set against.
PAID = (PAYMENT, LOCAL, RETURN, RECLAIM, REFUND, deducting.KIND, deducting.REST)
MONTH = len("2026-01")
TAXED = -1  # the place of a line's VAT among its shares
VAT_KIND = {
    "category": InvoiceLine.vat_category,
    "rate": InvoiceLine.vat_rate,
    "abroad": InvoiceLine.vat_abroad,
}
SIGN = case((Invoice.kind == CREDIT_NOTE, -1), else_=1)

Key: TypeAlias = tuple[int, str, int]


class PaidShare(NamedTuple):
    """For what money was: its month ("2026-01"), who issued the document, which days of service.

    `recurring` is whether it was for a subscription. A share of nobody (None) is VAT.
    """

    month: str
    issuer_id: int
    recurring: bool
    starts_on: date | None
    ends_on: date | None
    role: str
    beneficiary_id: int | None
    fund_id: int | None


def shares(session: Session, scope: Scope, since: date) -> Counter[PaidShare]:
    """Return the cents that subscribers paid from a day on to the end of the report, all shared.

    What went back to them is below zero.
    """
    cash = _cash(scope, since)
    cents: Counter[PaidShare] = Counter()
    for query in (_whole_shares(cash, scope), _whole_taxes(cash, scope)):
        for row in session.execute(query):
            *share, units = tuple(row)
            cents[PaidShare(*share)] += int(units)
    _add_parts(session, scope, since, cents)
    return cents


def paid(session: Session, scope: Scope, since: date) -> Cents:
    """Return the cents that subscribers paid from a day on to the end of the report, in all."""
    total = session.scalar(
        select(func.sum(SIGN * Allocation.units))
        .join(Invoice, same_document(Invoice, Allocation))
        .where(
            Allocation.kind.in_(PAID),
            Allocation.allocated_on.between(since, scope.until),
            _of_sales(scope),
        )
    )
    return int(total or 0)


def month_name(day: date) -> str:
    """Return the month of a day as shares have it: "2026-01"."""
    return day.isoformat()[:MONTH]


def _of_sales(scope: Scope) -> ColumnElement[bool]:
    """Return the condition on Invoice that it is in the scope, and about no deposit."""
    deposit = aliased(Invoice)
    given_back = select(deposit.number).where(
        deposit.organisation_id == Invoice.organisation_id,
        deposit.series == Invoice.credited_series,
        deposit.number == Invoice.credited_number,
        deposit.kind == DEPOSIT,
    )
    of_sales = (Invoice.kind != DEPOSIT) & ~given_back.correlate(Invoice).exists()
    return and_(gather_scope.of_documents(scope), of_sales)


def _by_month(scope: Scope) -> Select[*tuple[Any, ...]]:
    """Return what was paid of each document in each month, from the beginning."""
    month = func.substr(cast(Allocation.allocated_on, Text), 1, MONTH).label("month")
    key = (Allocation.organisation_id, Allocation.series, Allocation.number)
    # By the name of the month: PostgreSQL takes the same words with other parameters for others.
    return (
        select(*key, month, func.sum(Allocation.units).label("units"))
        .where(Allocation.kind.in_(PAID), Allocation.allocated_on <= scope.until)
        .group_by(*key, "month")
    )


def _cash(scope: Scope, since: date) -> Subquery:
    """Return the same from a day on."""
    return _by_month(scope).where(Allocation.allocated_on >= since).subquery()


def _whole_shares(cash: Subquery, scope: Scope) -> Select[*tuple[Any, ...]]:
    columns = (*_columns(cash), InvoiceLine.role, LineShare.beneficiary_id, LineShare.fund_id)
    return (
        _whole(select(*columns, func.sum(_direction(cash) * LineShare.units)), cash, scope)
        .join(
            LineShare,
            and_(same_document(LineShare, InvoiceLine), LineShare.line == InvoiceLine.line),
        )
        .group_by(*columns)
    )


def _whole_taxes(cash: Subquery, scope: Scope) -> Select[*tuple[Any, ...]]:
    columns, nobody = _columns(cash), (literal(""), null(), null())
    query = select(*columns, *nobody, func.sum(_direction(cash) * InvoiceLine.vat))
    return _whole(query, cash, scope).where(InvoiceLine.vat != 0).group_by(*columns)


def _whole(
    query: Select[*tuple[Any, ...]], cash: Subquery, scope: Scope
) -> Select[*tuple[Any, ...]]:
    return (
        query.select_from(cash)
        .join(Invoice, same_document(Invoice, cash.c))
        .join(InvoiceLine, same_document(InvoiceLine, Invoice))
        .where(func.abs(cash.c.units) == Invoice.gross, _of_sales(scope))
    )


def _columns(cash: Subquery) -> tuple[Any, ...]:
    return (
        cash.c.month,
        Invoice.organisation_id,
        Invoice.subscription_id.is_not(None),
        InvoiceLine.starts_on,
        InvoiceLine.ends_on,
    )


def _direction(cash: Subquery) -> ColumnElement[int]:
    return SIGN * case((cash.c.units < 0, -1), else_=1)


def _add_parts(session: Session, scope: Scope, since: date, cents: Counter[PaidShare]) -> None:
    documents, first_month = _in_parts(scope, since), month_name(since)
    history: dict[Key, list[tuple[str, Cents]]] = defaultdict(list)
    query = (
        _by_month(scope).join(documents, same_document(documents.c, Allocation)).order_by("month")
    )
    for row in session.execute(query):
        history[_key(row)].append((row.month, int(row.units)))
    rows = session.execute(_pieces(documents).execution_options(yield_per=PIECE))
    for key, pieces in groupby(rows, key=_key):
        _add_document(list(pieces), history[key], first_month, cents)


def _add_document(
    pieces: list[Row[*tuple[Any, ...]]],
    history: list[tuple[str, Cents]],
    first_month: str,
    cents: Counter[PaidShare],
) -> None:
    """Add what each payment of a document changes; a month of all of it is counted elsewhere."""
    weights, whole = [piece.units for piece in pieces], pieces[0].gross
    before = 0
    for month, units in history:
        after = before + units
        if month >= first_month and abs(units) != whole:
            changes = zip(apportion(weights, after), apportion(weights, before), strict=True)
            for piece, (now, then) in zip(pieces, changes, strict=True):
                sign = -1 if piece.kind == CREDIT_NOTE else 1
                cents[_share(month, piece)] += sign * (now - then)
        before = after


def _in_parts(scope: Scope, since: date) -> CTE:
    cash = _cash(scope, since)
    key = (Invoice.organisation_id, Invoice.series, Invoice.number)
    return (
        select(*key)
        .join(cash, same_document(cash.c, Invoice))
        .where(
            cash.c.units != 0,
            func.abs(cash.c.units) != Invoice.gross,
            _of_sales(scope),
        )
        .distinct()
        .cte("in_parts")
    )


def _pieces(documents: CTE) -> Select[*tuple[Any, ...]]:
    """Return the VAT of all lines of these documents, and then their shares, by document."""
    head = (
        Invoice.organisation_id,
        Invoice.series,
        Invoice.number,
        Invoice.kind,
        Invoice.gross,
        Invoice.subscription_id.is_not(None).label("recurring"),
        InvoiceLine.line,
        InvoiceLine.starts_on,
        InvoiceLine.ends_on,
        *(column.label(name) for name, column in VAT_KIND.items()),
    )
    shared = (
        InvoiceLine.role,
        LineShare.beneficiary_id,
        LineShare.fund_id,
        LineShare.position,
        LineShare.units,
    )
    nobody = cast(null(), Integer)
    taxed = (literal(""), nobody, nobody, literal(TAXED), InvoiceLine.vat)
    lines = (
        select(*head)
        .join(documents, same_document(documents.c, Invoice))
        .join(InvoiceLine, same_document(InvoiceLine, Invoice))
    )
    both = union_all(
        lines.add_columns(*shared).join(
            LineShare,
            and_(same_document(LineShare, InvoiceLine), LineShare.line == InvoiceLine.line),
        ),
        lines.add_columns(*taxed),
    ).subquery()
    document = [both.c[name] for name in ("organisation_id", "series", "number")]
    vat_first = (
        both.c.position != TAXED,
        *(case((both.c.position == TAXED, both.c[name])) for name in VAT_KIND),
    )
    return select(both).order_by(*document, *vat_first, both.c.line, both.c.position)


def _share(month: str, piece: Row[*tuple[Any, ...]]) -> PaidShare:
    return PaidShare(
        month,
        piece.organisation_id,
        piece.recurring,
        piece.starts_on,
        piece.ends_on,
        piece.role,
        piece.beneficiary_id,
        piece.fund_id,
    )


def _key(row: Iterable[object]) -> Key:
    organisation_id, series, number, *_rest = row
    return organisation_id, series, number  # type: ignore[return-value]
