"""Split contracts: how a business and an association share what is sold, from which day on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision import money
from provision.errors import UsageRefused
from provision.subscriptions.columns import sensible_day
from provision.subscriptions.models import SplitContract, SplitShare

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.subscriptions.models import Organisation

RESALE, TWO_CONTRACTS, MECENAT, LICENSED = "resale", "two_contracts", "mecenat", "licensed"
MODES = (RESALE, TWO_CONTRACTS, MECENAT, LICENSED)


@dataclass(frozen=True)
class Shares:
    """Whole parts of each party: (30, 70) gives the association 30 of 100."""

    supporter: int
    seller: int


def add(
    session: Session,
    seller: Organisation,
    supporter: Organisation,
    shares: Shares,
    *,
    terms: tuple[str, date],
) -> SplitContract:
    """Write a contract with `terms`: its mode, and the first day that it rules.

    The association comes first in the shares: of equals, it gets the odd cent.
    """
    mode, valid_from = terms
    if mode not in MODES:
        raise UsageRefused(f"{mode[:40]!r} is not a mode", f"Use {'|'.join(MODES)}.")
    _check_parties(seller, supporter)
    sensible_day(valid_from, "the first day of a contract")
    money.split(0, (shares.supporter, shares.seller))  # refuses shares that cannot be exact
    if _of(session, seller, supporter, valid_from, exactly=True):
        raise UsageRefused(
            f"{seller.name} and {supporter.name} have a contract from {valid_from} already",
            "A contract is never rewritten: give the new one its own first day.",
        )
    made = SplitContract(seller=seller, supporter=supporter, mode=mode, valid_from=valid_from)
    made.shares = [
        SplitShare(position=0, organisation=supporter, parts=shares.supporter),
        SplitShare(position=1, organisation=seller, parts=shares.seller),
    ]
    session.add(made)
    session.flush()
    return made


def contract_on(
    session: Session, seller: Organisation, supporter: Organisation, day: date
) -> SplitContract:
    """Return the contract that rules between the two on `day`, or raise UsageRefused."""
    found = _of(session, seller, supporter, day)
    if found is None:
        raise UsageRefused(
            f"{seller.name} and {supporter.name} have no contract on {day}",
            "Say how they share: paquet subscription contract add --help",
        )
    return found


def everyone(session: Session) -> list[SplitContract]:
    """Return all contracts, the latest first."""
    newest_first = (SplitContract.valid_from.desc(), SplitContract.id.desc())
    return list(session.scalars(select(SplitContract).order_by(*newest_first)))


def _of(
    session: Session,
    seller: Organisation,
    supporter: Organisation,
    day: date,
    *,
    exactly: bool = False,
) -> SplitContract | None:
    first_day = SplitContract.valid_from
    return session.scalar(
        select(SplitContract)
        .where(
            SplitContract.seller_id == seller.id,
            SplitContract.supporter_id == supporter.id,
            first_day == day if exactly else first_day <= day,
        )
        .order_by(first_day.desc())
        .limit(1)
    )


def _check_parties(seller: Organisation, supporter: Organisation) -> None:
    if seller.kind != "business":
        raise UsageRefused(f"{seller.name} is not a business", "A business sells.")
    if supporter.kind != "association":
        raise UsageRefused(f"{supporter.name} is not an association", "An association supports.")
