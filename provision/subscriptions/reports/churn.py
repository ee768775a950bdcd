"""How many subscribers leave, and how much revenue leaves with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.subscriptions.reports.ratios import ratio

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from fractions import Fraction

    from provision.subscriptions.reports.recurring import RecurringMovement


@dataclass(frozen=True)
class Churn:
    """Shares of one month's opening; None when nobody, or nothing, was there at its opening.

    `net_revenue` is below zero when those who stay pay more than those who left paid.
    """

    month: date
    subscribers: Fraction | None
    revenue: Fraction | None
    net_revenue: Fraction | None


def churn(movements: Iterable[RecurringMovement]) -> tuple[Churn, ...]:
    """Return the churn of each month.

    Formulas: subscribers = left / opened; revenue = -(churned + contraction) / opening MRR;
    net revenue = -(churned + contraction + expansion) / opening MRR.
    """
    return tuple(
        Churn(
            month.month,
            ratio(month.left, month.opened),
            ratio(-(month.churned + month.contraction), month.opening),
            ratio(-(month.churned + month.contraction + month.expansion), month.opening),
        )
        for month in movements
    )
