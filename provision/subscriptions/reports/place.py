"""A shared place: who carries its monthly cost, and what empty surface does to it.

The example is a place of 300 m² that costs 1 700 € of infrastructure and 800 € of services
a month. Residents use 51 % of the surface and carry all infrastructure, contributors use 29 %
and carry all services, 20 % is margin. So residents pay 68 % of the money and contributors
32 %: the shares of the surface are not the shares of the money.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from provision.errors import UsageRefused
from provision.subscriptions.reports.ratios import WHOLE, exact_shares, percent_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provision.money import Cents


@dataclass(frozen=True)
class Group:
    """Users of a place: the whole square metres they use, the cents a month they carry."""

    name: str
    square_metres: int
    carries: Cents


@dataclass(frozen=True)
class Reading:
    """One group, read twice: by money (what counts) and by surface (which it is mistaken for).

    `by_surface` is what the group would pay if the whole cost followed the surface.
    `missing` is what lacks each month when a part of its surface stays empty and its price stays;
    `price` and `price_with_vacancy` are cents per used square metre and month, rounded up so that
    the cost is carried; None where no surface is used.
    """

    name: str
    surface_basis_points: int
    money_basis_points: int
    carries: Cents
    by_surface: Cents
    missing: Cents
    price: Cents | None
    price_with_vacancy: Cents | None


def readings(groups: Sequence[Group], vacancy: int = 0) -> tuple[Reading, ...]:
    """Return the readings of each group when `vacancy` basis points of its surface are empty.

    Formula: price = carries / m²; with vacancy v: carries / (m² × (1 - v)), since the cost does
    not shrink with its payers.
    """
    if not 0 <= vacancy <= WHOLE:
        raise UsageRefused(f"{vacancy} basis points are not a vacancy", f"Give 0 to {WHOLE}.")
    surface = exact_shares([group.square_metres for group in groups] or [0])
    money = exact_shares([group.carries for group in groups] or [0])
    if surface is None or money is None:
        raise UsageRefused(
            "A place needs surface and cost", "Give square metres and cents, none below zero."
        )
    total = sum(group.carries for group in groups)
    by_surface = exact_shares([group.square_metres for group in groups], total) or ()
    return tuple(
        Reading(
            group.name,
            surface[place],
            money[place],
            group.carries,
            by_surface[place],
            percent_of(group.carries, vacancy),
            _price(group, WHOLE),
            _price(group, WHOLE - vacancy),
        )
        for place, group in enumerate(groups)
    )


def _price(group: Group, used: int) -> Cents | None:
    surface = Fraction(group.square_metres * used, WHOLE)
    return ceil(group.carries / surface) if surface else None
