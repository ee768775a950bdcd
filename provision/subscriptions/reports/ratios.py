"""Exact shares of a whole, rounded once and only to be shown."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from provision.errors import UsageRefused
from provision.money import apportion, half_up

if TYPE_CHECKING:
    from collections.abc import Sequence

WHOLE = 10_000  # basis points: hundredths of a percent


def ratio(part: int, whole: int) -> Fraction | None:
    """Return part / whole, or None where there is nothing to compare with (whole <= 0)."""
    return Fraction(part, whole) if whole > 0 else None


def basis_points(share: Fraction | None) -> int | None:
    """Return a share in hundredths of a percent, rounded half up."""
    return None if share is None else half_up(*(share * WHOLE).as_integer_ratio())


def percent_of(cents: int, rate: int) -> int:
    """Return `rate` basis points of an amount, rounded half up to a cent: 100 is 1 %."""
    if not 0 <= rate <= WHOLE:
        raise UsageRefused(f"{rate} basis points are not a share", f"Give 0 to {WHOLE}.")
    return half_up(cents * rate, WHOLE)


def exact_shares(parts: Sequence[int], whole: int = WHOLE) -> tuple[int, ...] | None:
    """Return shares of `whole` in proportion to `parts`, which add up to it exactly.

    Rounded as `apportion` does. None when a part is negative (more was given back than paid) or
    when all are zero: then there is no proportion.
    """
    return None if sum(parts) <= 0 or min(parts) < 0 else apportion(parts, whole)
