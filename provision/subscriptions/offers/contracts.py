"""Contracts: who sells from which day on, alone or sharing what is sold with another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision import money
from provision.days import sensible_day
from provision.errors import UsageRefused
from provision.subscriptions.offers.models import SplitContract, SplitShare

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.subscriptions.offers.models import Fund
    from provision.subscriptions.parties.models import Organisation

RESALE, TWO_CONTRACTS, MECENAT, LICENSED = "resale", "two_contracts", "mecenat", "licensed"
ALONE = "alone"  # of one party: nothing is shared, nothing is settled
COORDINATION = (10, 25)  # percent
MODES = (RESALE, TWO_CONTRACTS, MECENAT, LICENSED)  # of two parties


@dataclass(frozen=True)
class Share:
    """Whole parts of one beneficiary in the lines of `role`; "" is every role that none names."""

    organisation: Organisation
    parts: int
    role: str = ""
    fund: Fund | None = None


def two(seller: Organisation, supporter: Organisation, parts: tuple[int, int]) -> list[Share]:
    """Return the shares of a contract between two alone: parts of the seller, of the supporter.

    The association comes first: of equals, it gets the odd cent.
    """
    return [Share(supporter, parts[1]), Share(seller, parts[0])]


def alone(session: Session, seller: Organisation, valid_from: date) -> SplitContract:
    """Write that an organisation, of either kind, sells alone from a day on: all is its own."""
    return add(session, seller, seller, [Share(seller, 1)], terms=(ALONE, valid_from))


def add(
    session: Session,
    seller: Organisation,
    supporter: Organisation,
    shares: Sequence[Share],
    *,
    terms: tuple[str, date],
) -> SplitContract:
    """Write a contract with `terms`: its mode, and the first day that it rules."""
    mode, valid_from = terms
    if mode not in {*MODES, ALONE}:
        raise UsageRefused(f"{mode[:40]!r} is not a mode", f"Use {'|'.join(MODES)}.")
    _check_parties(seller, supporter, shares, mode)
    sensible_day(valid_from, "the first day of a contract")
    check_shares(shares)
    if mode == TWO_CONTRACTS:
        _check_sellers(seller, supporter, shares)
    if _of(session, seller, supporter, valid_from, exactly=True):
        raise UsageRefused(
            f"{_parties(seller, supporter)} a contract from {valid_from} already",
            "A contract is never rewritten: give the new one its own first day.",
        )
    contract = SplitContract(seller=seller, supporter=supporter, mode=mode, valid_from=valid_from)
    contract.shares = [
        SplitShare(
            position=position,
            role=share.role,
            organisation=share.organisation,
            fund=share.fund,
            parts=share.parts,
        )
        for position, share in enumerate(shares)
    ]
    session.add(contract)
    session.flush()
    return contract


def check_shares(shares: Sequence[Share]) -> None:
    """Raise PaquetError unless each role can be shared exactly, and coordination within bounds.

    Who coordinates a commons gets 10 to 25 % of its budget, always: that is the experience of
    those who fund commons (reference of the founding documents, S3:48).
    """
    by_role: dict[str, list[Share]] = {}
    for share in shares:
        by_role.setdefault(share.role, []).append(share)
    if "" not in by_role:
        raise UsageRefused(
            "The contract does not say how lines of other roles are shared",
            "Add a rule for every role: the one without a name.",
        )
    for role, of_role in by_role.items():
        parts = [share.parts for share in of_role]
        money.split(0, parts)  # refuses shares that cannot be exact
        coordination = sum(
            share.parts for share in of_role if share.fund and share.fund.kind == "coordination"
        )
        low, high = COORDINATION
        if coordination and not low * sum(parts) <= 100 * coordination <= high * sum(parts):
            raise UsageRefused(
                f"Coordination has {100 * coordination / sum(parts):.1f} % of {role or 'the rest'}",
                f"It is between {low} and {high} %, or nothing.",
            )


def contract_on(
    session: Session, seller: Organisation, supporter: Organisation, day: date
) -> SplitContract:
    """Return the contract that rules between the two on `day`, or raise UsageRefused.

    With the seller as its own supporter: the one by which it sells alone.
    """
    contract = _of(session, seller, supporter, day)
    if contract is None:
        raise UsageRefused(
            f"{_parties(seller, supporter)} no contract on {day}",
            f"Say who sells, alone or with whom, since when: paquet contract add … --from {day}",
        )
    return contract


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


def _check_sellers(seller: Organisation, supporter: Organisation, shares: Sequence[Share]) -> None:
    """Raise UsageRefused for a share that neither of the two who sell could invoice as its own.

    Each sells its own part, so a fund would be fed from what is its keeper's alone.
    """
    for share in shares:
        if share.fund is not None:
            raise UsageRefused(
                f"Two contracts cannot feed the fund {share.fund.name}",
                "Only the two who sell have a share there.",
            )
        if share.organisation.id not in {seller.id, supporter.id}:
            raise UsageRefused(
                f"{share.organisation.name} sells nothing under these two contracts",
                "Only the two who sell have a share there.",
            )


def _parties(seller: Organisation, supporter: Organisation) -> str:
    """Say who has a contract, up to the verb."""
    if seller.id == supporter.id:
        return f"{seller.name}, alone, has"
    return f"{seller.name} and {supporter.name} have"


def _check_parties(
    seller: Organisation, supporter: Organisation, shares: Sequence[Share], mode: str
) -> None:
    """Raise UsageRefused unless a business sells with an association, or one of either kind alone.

    Who sells alone shares with nobody, not even with a fund of its own: that is decided later.
    """
    if mode == ALONE:
        own = [(share.organisation.id, share.fund, share.role) for share in shares]
        if seller.id != supporter.id or own != [(seller.id, None, "")]:
            raise UsageRefused(
                f"{seller.name} sells alone, so all of it is its own", "Leave the shares out."
            )
        return
    if seller.kind != "business":
        raise UsageRefused(
            f"{seller.name} is not a business", "An association sells alone, without a second name."
        )
    if supporter.kind != "association":
        raise UsageRefused(f"{supporter.name} is not an association", "An association supports.")
