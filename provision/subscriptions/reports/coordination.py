"""Whether coordination is paid, and neither too little nor too much.

Bounds: communities of the commons in Lille, who always include 10 to 25 % for coordination.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from provision.subscriptions.reports.ratios import ratio

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provision.money import Cents
    from provision.subscriptions.reports.facts import Life, Portion

ROLE = "coordination"
LEAST, MOST = Fraction(10, 100), Fraction(25, 100)


@dataclass(frozen=True)
class Coordination:
    """Cents for coordination of all cents without tax; the verdict: below, within, above, none."""

    cents: Cents
    of_cents: Cents
    share: Fraction | None
    verdict: str


def coordination(portions: Iterable[Portion]) -> Coordination:
    """Return the portions of the role `coordination` / all portions but tax."""
    net = [portion for portion in portions if portion.beneficiary_kind != "tax"]
    cents = sum(portion.cents for portion in net if portion.role == ROLE)
    total = sum(portion.cents for portion in net)
    share = ratio(cents, total)
    return Coordination(cents, total, share, verdict(share))


def is_alone(lives: Iterable[Life], portions: Iterable[Portion]) -> bool:
    """Return whether all that was sold was sold without a supporter, and nobody is coordinated."""
    alone = {life.seller == life.supporter for life in lives}
    return alone == {True} and all(portion.role != ROLE for portion in portions)


def verdict(share: Fraction | None) -> str:
    """Return where a share lies; both bounds are within."""
    if share is None:
        return "none"
    if share < LEAST:
        return "below"
    return "above" if share > MOST else "within"
