"""Reciprocity: the part of its revenue that a business means to give back to a commons.

It is voluntary: the statement compares what was meant with what was given, and nothing is owed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision import edges
from provision.days import sensible_day
from provision.errors import UsageRefused
from provision.money import half_up
from provision.subscriptions.commons import contributions
from provision.subscriptions.commons.models import ReciprocityContract
from provision.subscriptions.offers import tariffs
from provision.subscriptions.offers.terms import Term

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.parties.models import Organisation


@dataclass(frozen=True)
class ReciprocityStatement:
    """What a giver sold in some days, what it meant to give back, what it gave: all in cents."""

    giver: str
    receiver: str
    days: Term
    basis_points: int
    revenue: Cents
    meant: Cents
    given: Cents


def add(
    session: Session,
    giver: Organisation,
    receiver: Organisation,
    basis_points: int,
    terms: tuple[date, str],
) -> ReciprocityContract:
    """Write what `giver` means to give from a day on; `terms` is that day, and where it is written.

    `basis_points` are hundredths of a percent of its revenue; 0 ends it.
    """
    valid_from, minutes = terms
    sensible_day(valid_from, "the first day of a reciprocity contract")
    if giver.id == receiver.id:
        raise UsageRefused(f"{giver.name} cannot give to itself")
    if not 0 <= basis_points <= tariffs.WHOLE:
        raise UsageRefused(
            f"{basis_points} is no rate", f"Give 0 to {tariffs.WHOLE}: 300 is 3 %, 0 ends it."
        )
    if session.get(ReciprocityContract, (giver.id, receiver.id, valid_from)) is not None:
        raise UsageRefused(
            f"{giver.name} and {receiver.name} have a contract from {valid_from} already",
            "A contract is never rewritten: give the new one its own first day.",
        )
    contract = ReciprocityContract(
        giver=giver,
        receiver=receiver,
        valid_from=valid_from,
        basis_points=basis_points,
        minutes=edges.person_name(minutes, "reference of the contract"),
    )
    session.add(contract)
    session.flush()
    return contract


def everyone(session: Session) -> list[ReciprocityContract]:
    """Return all contracts, the latest first."""
    contract = ReciprocityContract
    order = (contract.valid_from.desc(), contract.giver_id, contract.receiver_id)
    return list(session.scalars(select(contract).order_by(*order)))


def statement(
    session: Session, giver: Organisation, receiver: Organisation, days: Term
) -> ReciprocityStatement:
    """Return what was meant and what was given on these days.

    Each contract counts for its own days; the rate that is shown is that of the last day.
    """
    revenue = meant = points = 0
    for part, rate in _dated(session, giver, receiver, days):
        sold = contributions.revenue(session, giver, part)
        revenue, points = revenue + sold, rate
        meant += half_up(sold * rate, tariffs.WHOLE)
    given = contributions.given(session, giver, receiver, days)
    return ReciprocityStatement(
        giver.name, receiver.name, days, points, revenue, max(meant, 0), given
    )


def _dated(
    session: Session, giver: Organisation, receiver: Organisation, days: Term
) -> Iterator[tuple[Term, int]]:
    """Yield the days of each contract with its rate; before the first there is none."""
    contracts = session.scalars(
        select(ReciprocityContract)
        .where(
            ReciprocityContract.giver_id == giver.id,
            ReciprocityContract.receiver_id == receiver.id,
            ReciprocityContract.valid_from < days.until,
        )
        .order_by(ReciprocityContract.valid_from)
    ).all()
    starts = [
        max(reciprocity_contract.valid_from, days.starts) for reciprocity_contract in contracts
    ]
    ends = [*starts[1:], days.until]
    for contract, first, until in zip(contracts, starts, ends, strict=True):
        if first < until:
            yield Term(first, until), contract.basis_points
