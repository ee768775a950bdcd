"""Exact shares of a whole, rounded once and only to be shown."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

from provision.errors import UsageRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

WHOLE = 10_000  # basis points: hundredths of a percent


def half_up(number: Fraction) -> int:
    """Return the nearest whole number; of two equally near, the greater one."""
    return floor(number + Fraction(1, 2))


def ratio(part: int, whole: int) -> Fraction | None:
    """Return part / whole, or None where there is nothing to compare with (whole <= 0)."""
    return Fraction(part, whole) if whole > 0 else None


def basis_points(share: Fraction | None) -> int | None:
    """Return a share in hundredths of a percent, rounded half up."""
    return None if share is None else half_up(share * WHOLE)


def percent_of(cents: int, rate: int) -> int:
    """Return `rate` basis points of an amount, rounded half up to a cent: 100 is 1 %."""
    if not 0 <= rate <= WHOLE:
        raise UsageRefused(f"{rate} basis points are not a share", f"Give 0 to {WHOLE}.")
    return half_up(Fraction(cents * rate, WHOLE))


def exact_shares(parts: Sequence[int], whole: int = WHOLE) -> tuple[int, ...] | None:
    """Return shares of `whole` in proportion to `parts`, which add up to it exactly.

    Largest remainder (Hamilton's method): each gets its exact share rounded down; what is left
    goes one by one to the largest fractions, of equals to the first. None when a part is
    negative (more was given back than paid) or when all are zero: then there is no proportion.
    """
    total = sum(parts)
    if total <= 0 or min(parts) < 0:
        return None
    shares = [part * whole // total for part in parts]
    order = sorted(range(len(parts)), key=lambda place: -(parts[place] * whole % total))
    for place in order[: whole - sum(shares)]:
        shares[place] += 1
    return tuple(shares)
