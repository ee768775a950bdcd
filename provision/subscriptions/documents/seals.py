"""Whether invoices and their shares are as they were written."""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision import money
from provision.subscriptions.documents import issuing
from provision.subscriptions.documents.drafts import CREDIT_NOTE
from provision.subscriptions.documents.models import Invoice, InvoiceLine, LineShare, same_document
from provision.subscriptions.ledger.invariants import Discrepancy
from provision.subscriptions.ledger.seals import BATCH
from provision.subscriptions.offers import contracts
from provision.subscriptions.offers.catalogue import Catalogue
from provision.subscriptions.offers.models import Carry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from sqlalchemy import Select
    from sqlalchemy.orm import InstrumentedAttribute, Session

    from provision.database import Row
    from provision.subscriptions.offers.sharing import Agreement


def broken_documents(session: Session) -> Iterator[Discrepancy]:
    """Hash every document again, with its lines and their shares."""
    document = Invoice
    query = select(*document.__table__.columns).order_by(
        document.organisation_id, document.series, document.number
    )
    with (
        closing(_RowsByDocument(session, InvoiceLine, (InvoiceLine.line,))) as lines,
        closing(
            _RowsByDocument(session, LineShare, (LineShare.line, LineShare.position))
        ) as shares,
    ):
        for row in session.execute(query, execution_options={"yield_per": BATCH}).mappings():
            place = (row["organisation_id"], row["series"], row["number"])
            digest = issuing.digest(dict(row), lines.of(place), shares.of(place))
            if digest != row["digest"]:
                yield Discrepancy(
                    f"organisation {place[0]}, {place[1]}-{place[2]:06d}",
                    "its content was changed after it was issued",
                )


class _RowsByDocument:
    """The rows of one table, document by document, read once from the first to the last."""

    def __init__(
        self,
        session: Session,
        table: type[InvoiceLine | LineShare],
        order: tuple[InstrumentedAttribute[int], ...],
    ) -> None:
        query = select(*table.__table__.columns).order_by(
            table.organisation_id, table.series, table.number, *order
        )
        self._rows = session.execute(query, execution_options={"yield_per": BATCH}).mappings()
        self._groups = groupby(self._rows, itemgetter("organisation_id", "series", "number"))
        self._next = next(self._groups, None)

    def close(self) -> None:
        """Leave what was not read: rows of documents that are not there."""
        self._rows.close()

    def of(self, place: tuple[int, str, int]) -> list[Row]:
        """Return the rows of this document; documents are asked for in their order."""
        while self._next is not None and self._next[0] < place:
            self._next = next(self._groups, None)
        if self._next is None or self._next[0] != place:
            return []
        rows = [dict(row) for row in self._next[1]]
        self._next = next(self._groups, None)
        return rows


def broken_shares(session: Session) -> Iterator[Discrepancy]:
    """Compare what each contract dealt in all with what its shares give of that sum."""
    catalogue = Catalogue(session)
    shares: dict[tuple[int, str], dict[tuple[int, int | None], int]] = defaultdict(dict)
    for only_credits, times in ((False, 1), (True, -2)):
        for *key, contract_id, role, units in session.execute(_shared(only_credits)):
            name, _rules = catalogue.agreement(contract_id).for_role(role)
            place, beneficiary = shares[contract_id, name], (key[0], key[1])
            place[beneficiary] = place.get(beneficiary, 0) + times * int(units)
    for carry in session.scalars(select(Carry)):
        agreement = catalogue.agreement(carry.contract_id)
        if agreement.mode == contracts.TWO_CONTRACTS:
            continue  # each has invoices of its own: see two_contracts
        given = shares.pop((carry.contract_id, carry.role), {})
        if _expected(agreement, carry) != {key: units for key, units in given.items() if units}:
            where = f"contract {carry.contract_id}, role {carry.role or 'others'}"
            yield Discrepancy(where, "the shares are not what the contract gives")
    for contract_id, role in shares:
        if catalogue.agreement(contract_id).mode != contracts.TWO_CONTRACTS:
            where = f"contract {contract_id}, role {role or 'others'}"
            yield Discrepancy(where, "nobody remembers where its splits are")


def _shared(only_credits: bool) -> Select[*tuple[Any, ...]]:  # noqa: FBT001 (one of two questions)
    """Ask for sums of shares by beneficiary, contract and role: of all documents, or of credits.

    All of them without asking what each document is, less the credits twice: a third of the time.
    Lines are read in their order and their shares found beside them: a join that is not an outer
    one, SQLite begins with the largest table. A line without shares says nothing.
    """
    columns = (
        LineShare.beneficiary_id,
        LineShare.fund_id,
        InvoiceLine.contract_id,
        InvoiceLine.role,
    )
    same_line = same_document(InvoiceLine, LineShare) & (InvoiceLine.line == LineShare.line)
    units = func.sum(LineShare.units)
    query = select(*columns, units).group_by(*columns).having(units.is_not(None))
    if not only_credits:
        query = query.select_from(InvoiceLine)
    else:
        query = query.select_from(Invoice).where(Invoice.kind == CREDIT_NOTE)
        query = query.outerjoin(InvoiceLine, same_document(InvoiceLine, Invoice))
    return query.outerjoin(LineShare, same_line).where(InvoiceLine.contract_id.is_not(None))


def _expected(agreement: Agreement, carry: Carry) -> dict[tuple[int, int | None], int]:
    _name, rules = agreement.for_role(carry.role)
    parts = money.split(carry.carried, [rule.parts for rule in rules]).parts
    expected: dict[tuple[int, int | None], int] = defaultdict(int)
    for rule, units in zip(rules, parts, strict=True):
        expected[rule.organisation_id, rule.fund_id] += units
    return {key: units for key, units in expected.items() if units}
