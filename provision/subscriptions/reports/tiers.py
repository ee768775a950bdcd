"""Who pays more so that others can pay less: the transfer between tiers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.subscriptions.reports.ratios import exact_shares
from provision.subscriptions.reports.recurring import in_cents

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provision.money import Cents
    from provision.subscriptions.reports.recurring import Served


@dataclass(frozen=True)
class TierFigures:
    """What subscriptions of a tier pay a month, and their equal part of the monthly cost.

    `transfer` = paid - cost: above zero they carry others, below zero others carry them.
    """

    tier: str
    subscriptions: int
    paid: Cents
    cost: Cents
    transfer: Cents


def tiers(served: Iterable[Served], monthly_cost: Cents) -> tuple[TierFigures, ...]:
    """Return the tiers of the subscriptions served on a day, the largest transfer first.

    Formula: cost of a tier = monthly cost × its subscriptions / all subscriptions
    (`exact_shares`, so that the costs add up); paid = its MRR.
    """
    paid: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for life, twelfths in served:
        paid[life.tier] += twelfths
        counts[life.tier] += 1
    costs = exact_shares([*counts.values()] or [0], monthly_cost) or ()
    figures = [
        TierFigures(tier, counts[tier], in_cents(paid[tier]), cost, in_cents(paid[tier]) - cost)
        for tier, cost in zip(counts, costs, strict=False)
    ]
    return tuple(sorted(figures, key=lambda tier: (-tier.transfer, tier.tier)))
