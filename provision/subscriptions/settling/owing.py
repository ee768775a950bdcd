"""What a seller owes for its sales since the last settlement, counted from the lines' shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import case, func, select

from provision.subscriptions.documents import drafts
from provision.subscriptions.documents.models import (
    Invoice,
    InvoiceLine,
    LineShare,
    Settlement,
    same_document,
)
from provision.subscriptions.ledger import posting
from provision.subscriptions.offers import contracts
from provision.subscriptions.offers.models import SplitContract, SplitShare
from provision.subscriptions.parties.models import Organisation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from provision.money import Cents

OWING_MODES = (contracts.RESALE, contracts.LICENSED)


@dataclass(frozen=True)
class OwedPart:
    """What is owed under one mode, for lines of one role, to one fund or to none, in cents."""

    mode: str
    role: str
    fund_id: int | None
    units: Cents


@dataclass(frozen=True)
class Owed:
    """What entries after `after_entry`, up to `last_entry` of the seller's journal, owe."""

    after_entry: int
    last_entry: int
    parts: tuple[OwedPart, ...]

    @property
    def units(self) -> Cents:
        """The sum of its parts, in cents; below zero when more was credited than sold."""
        return sum(part.units for part in self.parts)


def owed(session: Session, seller: Organisation, beneficiary: Organisation, up_to: date) -> Owed:
    """Return what `seller` owes `beneficiary` for documents that took effect by `up_to`.

    With the seller as its own beneficiary: what its own funds get. The first document of a later
    day ends the range, whatever follows it, so that no entry is ever counted twice or never.
    """
    after = session.scalar(
        select(func.max(Settlement.last_entry)).where(
            Settlement.seller_id == seller.id, Settlement.beneficiary_id == beneficiary.id
        )
    )
    start = after or 0
    last = _last_entry(session, seller.id, start, up_to)
    rows = session.execute(_shares(seller.id, beneficiary.id, start, last))
    return Owed(
        start,
        last,
        tuple(OwedPart(mode, role, fund_id, int(units)) for mode, role, fund_id, units in rows),
    )


def pairs(session: Session) -> list[tuple[int, int]]:
    """Return every seller with each beneficiary of its contracts; itself when it keeps a fund."""
    rows = session.execute(
        select(SplitContract.seller_id, SplitShare.organisation_id)
        .join(SplitShare, SplitShare.contract_id == SplitContract.id)
        .where(
            (SplitShare.fund_id.is_not(None))
            | (SplitShare.organisation_id != SplitContract.seller_id),
            SplitContract.mode.in_(OWING_MODES),
        )
        .distinct()
        .order_by(SplitContract.seller_id, SplitShare.organisation_id)
    )
    return [(seller, beneficiary) for seller, beneficiary in rows]


def parties(
    session: Session, among: set[int] | None = None
) -> Iterator[tuple[Organisation, Organisation]]:
    """Yield sellers and beneficiaries, of whom one at least is `among` these; else all."""
    for pair in pairs(session):
        if among is None or among & set(pair):
            seller, beneficiary = (
                session.get_one(Organisation, organisation_id) for organisation_id in pair
            )
            yield seller, beneficiary


def _last_entry(session: Session, seller_id: int, after: int, up_to: date) -> int:
    later = session.scalar(
        select(func.min(Invoice.entry_number)).where(
            Invoice.organisation_id == seller_id,
            Invoice.entry_number > after,
            Invoice.issued_on > up_to,
        )
    )
    if later is not None:
        return later - 1
    return posting.end_of(session, seller_id)[0] - 1


def _shares(
    seller_id: int, beneficiary_id: int, after: int, last: int
) -> Select[str, str, int | None, int]:
    """Add up shares of lines under a contract: those of settlements themselves have none."""
    sign = case((Invoice.kind.in_(drafts.CREDITS), -1), else_=1)
    grouped = (SplitContract.mode, InvoiceLine.role, LineShare.fund_id)
    own = seller_id == beneficiary_id
    return (
        select(*grouped, func.sum(sign * LineShare.units))
        .join(
            InvoiceLine,
            same_document(InvoiceLine, LineShare) & (InvoiceLine.line == LineShare.line),
        )
        .join(Invoice, same_document(Invoice, LineShare))
        .join(SplitContract, SplitContract.id == InvoiceLine.contract_id)
        .where(
            Invoice.organisation_id == seller_id,
            Invoice.entry_number > after,
            Invoice.entry_number <= last,
            LineShare.beneficiary_id == beneficiary_id,
            SplitContract.mode.in_(OWING_MODES),
            LineShare.fund_id.is_not(None) if own else True,  # type: ignore[arg-type]
        )
        .group_by(*grouped)
        .order_by(SplitContract.mode, InvoiceLine.role, func.coalesce(LineShare.fund_id, 0))
    )
