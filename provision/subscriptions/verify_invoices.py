"""Whether invoices and their shares are as they were written."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision import money
from provision.subscriptions import contracts, issuing
from provision.subscriptions.catalogue import Catalogue
from provision.subscriptions.drafts import CREDIT_NOTE
from provision.subscriptions.invariants import Finding
from provision.subscriptions.invoice_models import Invoice, InvoiceLine, LineShare
from provision.subscriptions.models import Carry
from provision.subscriptions.verify_journals import BATCH

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

    from provision.database import Row
    from provision.subscriptions.sharing import Agreement


def seals(session: Session) -> Iterator[Finding]:
    """Hash every document again."""
    one, line = Invoice, InvoiceLine
    query = select(*one.__table__.columns).order_by(one.organisation_id, one.series, one.number)
    rows = session.execute(query, execution_options={"yield_per": BATCH}).mappings()
    lines = session.execute(
        select(*line.__table__.columns).order_by(
            line.organisation_id, line.series, line.number, line.line
        ),
        execution_options={"yield_per": BATCH},
    ).mappings()
    grouped = groupby(lines, lambda row: (row["organisation_id"], row["series"], row["number"]))
    current = next(grouped, None)
    for row in rows:
        place = (row["organisation_id"], row["series"], row["number"])
        found: list[Row] = []
        if current is not None and current[0] == place:
            found = [dict(one) for one in current[1]]
            current = next(grouped, None)
        if issuing.digest(dict(row), found) != row["digest"]:
            yield Finding(
                f"organisation {place[0]}, {place[1]}-{place[2]:06d}",
                "its content was changed after it was issued",
            )


def dealt(session: Session) -> Iterator[Finding]:
    """Compare what each contract dealt in all with what its shares give of that sum."""
    catalogue = Catalogue(session)
    shares: dict[tuple[int, str], dict[tuple[int, int | None], int]] = defaultdict(dict)
    for only_credits, times in ((False, 1), (True, -2)):
        for contract_id, role, *beneficiary, units in session.execute(_shared(only_credits)):
            name, _rules = catalogue.agreement(contract_id).for_role(role)
            place, key = shares[contract_id, name], (beneficiary[0], beneficiary[1])
            place[key] = place.get(key, 0) + times * int(units)
    for carry in session.scalars(select(Carry)):
        agreement = catalogue.agreement(carry.contract_id)
        if agreement.mode == contracts.TWO_CONTRACTS:
            continue  # each has invoices of its own; what was dealt held their VAT
        found = shares.get((carry.contract_id, carry.role), {})
        if _expected(agreement, carry) != {key: units for key, units in found.items() if units}:
            where = f"contract {carry.contract_id}, role {carry.role or 'others'}"
            yield Finding(where, "the shares are not what the contract gives")


def _shared(only_credits: bool) -> Select[*tuple[Any, ...]]:  # noqa: FBT001 (one of two questions)
    """Ask for sums of shares by contract, role and beneficiary: of all documents, or of credits.

    All of them without asking what each document is, less the credits twice: a third of the time.
    """
    columns = (
        InvoiceLine.contract_id,
        InvoiceLine.role,
        LineShare.beneficiary_id,
        LineShare.fund_id,
    )
    query = (
        select(*columns, func.sum(LineShare.units))
        .join(InvoiceLine, _same(InvoiceLine, LineShare) & (InvoiceLine.line == LineShare.line))
        .where(InvoiceLine.contract_id.is_not(None))
        .group_by(*columns)
    )
    if only_credits:
        query = query.join(Invoice, _same(Invoice, LineShare)).where(Invoice.kind == CREDIT_NOTE)
    return query


def _same(one: type[Invoice | InvoiceLine], other: type[LineShare]) -> ColumnElement[bool]:
    return (
        (one.organisation_id == other.organisation_id)
        & (one.series == other.series)
        & (one.number == other.number)
    )


def _expected(agreement: Agreement, carry: Carry) -> dict[tuple[int, int | None], int]:
    _name, rules = agreement.for_role(carry.role)
    parts = money.split(carry.carried, [rule.parts for rule in rules]).parts
    expected: dict[tuple[int, int | None], int] = defaultdict(int)
    for rule, units in zip(rules, parts, strict=True):
        expected[rule.organisation_id, rule.fund_id] += units
    return {key: units for key, units in expected.items() if units}
