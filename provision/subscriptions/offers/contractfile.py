"""Read a contract from a commented TOML file (`templates/contract.example.toml`), strictly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field
from sqlalchemy import select

from provision import strict
from provision.errors import UsageRefused
from provision.strict import Table
from provision.subscriptions.offers import contracts
from provision.subscriptions.offers.contracts import Share
from provision.subscriptions.offers.models import Fund
from provision.subscriptions.offers.planfile import Code, Day, Name  # noqa: TC001 (pydantic reads it)
from provision.subscriptions.parties import organisations

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from sqlalchemy.orm import Session

    from provision.subscriptions.offers.models import SplitContract
    from provision.subscriptions.parties.models import Organisation

EXAMPLE = "templates/contract.example.toml"
MOST_PARTS = 10_000


class WrittenShare(Table):
    """Whole parts of one organisation, or of a fund that its custodian keeps apart."""

    parts: int = Field(ge=0, le=MOST_PARTS)
    organisation: Name | None = None
    fund: Name | None = None
    role: Code | Literal[""] = ""


class WrittenContract(Table):
    """One contract of the file: of two, with shares, or of a seller alone, with none."""

    seller: Name
    supporter: Name | None = None
    mode: Literal["resale", "two_contracts", "mecenat", "licensed"] = "resale"
    valid_from: Day = Field(alias="from")
    share: tuple[WrittenShare, ...] = Field(default=(), max_length=100, strict=False)


class _Contracts(Table):
    contract: tuple[WrittenContract, ...] = Field(min_length=1, max_length=100, strict=False)


def read(path: Path) -> tuple[WrittenContract, ...]:
    """Return the contracts of the file, or raise PaquetError with the first thing wrong."""
    return strict.read(path, _Contracts, EXAMPLE).contract


def parse(text: str) -> tuple[WrittenContract, ...]:
    """Return the contracts of the TOML text, or raise PaquetError with the first thing wrong."""
    return strict.parse(text, _Contracts, EXAMPLE).contract


def bring_in(session: Session, written: tuple[WrittenContract, ...]) -> list[SplitContract]:
    """Add the contracts that the registry lacks and return them; the same file adds nothing.

    Raises UsageRefused for one that is there with other words, and for a share of somebody who is
    neither party nor custodian.
    """
    split_contracts = [_bring_in_one(session, contract) for contract in written]
    return [contract for contract in split_contracts if contract is not None]


def _bring_in_one(session: Session, written: WrittenContract) -> SplitContract | None:
    seller = organisations.get(session, written.seller)
    if written.supporter is None:
        return _bring_in_alone(session, written, seller)
    supporter = organisations.get(session, written.supporter)
    shares = [_share(session, share) for share in written.share]
    _check_beneficiaries(shares, (seller, supporter))
    there = _there(session, seller, supporter, written.valid_from)
    if there is not None and _same(there, written, shares):
        return None
    return contracts.add(
        session, seller, supporter, shares, terms=(written.mode, written.valid_from)
    )


def _bring_in_alone(
    session: Session, written: WrittenContract, seller: Organisation
) -> SplitContract | None:
    if written.share or "mode" in written.model_fields_set:
        raise UsageRefused(
            f"The contract of {seller.name} has no supporter, but shares or a mode",
            "Leave them out where one sells alone, or name the supporter.",
        )
    if _there(session, seller, seller, written.valid_from) is not None:
        return None
    return contracts.alone(session, seller, written.valid_from)


def _there(
    session: Session, seller: Organisation, supporter: Organisation, day: date
) -> SplitContract | None:
    """Return the contract of these two that begins on this very day, if there is one."""
    wanted = (seller.id, supporter.id, day)
    return next(
        (
            contract
            for contract in contracts.everyone(session)
            if (contract.seller_id, contract.supporter_id, contract.valid_from) == wanted
        ),
        None,
    )


def _share(session: Session, written: WrittenShare) -> Share:
    if (written.organisation is None) == (written.fund is None):
        raise UsageRefused(
            "A share is of an organisation or of a fund", "Give one of the two words in each share."
        )
    if written.organisation is not None:
        organisation = organisations.get(session, written.organisation)
        return Share(organisation, written.parts, role=written.role)
    fund = session.scalar(select(Fund).where(Fund.name == written.fund))
    if fund is None:
        raise UsageRefused(f"There is no fund {written.fund}", "Add the fund first.")
    return Share(fund.custodian, written.parts, role=written.role, fund=fund)


def _check_beneficiaries(shares: list[Share], parties: tuple[Organisation, Organisation]) -> None:
    """Nobody collects for others: who is paid is a party, or keeps a fund by name."""
    numbers = {organisation.id for organisation in parties}
    for share in shares:
        if share.fund is None and share.organisation.id not in numbers:
            raise UsageRefused(
                f"{share.organisation.name} is no party of this contract",
                "A share is of the seller, the supporter, or a fund.",
            )


def _same(there: SplitContract, written: WrittenContract, shares: list[Share]) -> bool:
    kept = [
        (share.role, share.organisation_id, share.fund_id, share.parts) for share in there.shares
    ]
    asked = [
        (share.role, share.organisation.id, share.fund.id if share.fund else None, share.parts)
        for share in shares
    ]
    return there.mode == written.mode and kept == asked
