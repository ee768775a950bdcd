"""Where subscribers are, who sold to them, and what stays there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.subscriptions.reports.recurring import in_cents

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provision.money import Cents
    from provision.subscriptions.reports.facts import Portion
    from provision.subscriptions.reports.recurring import Served


@dataclass(frozen=True)
class Sales:
    """What one seller serves in one territory on a day: subscribers and their MRR."""

    territory: str
    seller: str
    subscribers: int
    revenue: Cents


@dataclass(frozen=True)
class Stays:
    """What beneficiaries of a territory received; `cents` of all portions of the report."""

    territory: str
    cents: Cents


def sales(served: Iterable[Served]) -> tuple[Sales, ...]:
    """Return each (territory, seller) of what is served on a day, the largest MRR first."""
    paid: Counter[tuple[str, str]] = Counter()
    persons: dict[tuple[str, str], set[str]] = {}
    for life, twelfths in served:
        where = (life.territory, life.seller)
        paid[where] += twelfths
        persons.setdefault(where, set()).add(life.subscriber_reference)
    rows = [Sales(*where, len(who), in_cents(paid[where])) for where, who in persons.items()]
    return tuple(sorted(rows, key=lambda row: (-row.revenue, row.territory, row.seller)))


def stays(portions: Iterable[Portion]) -> tuple[Stays, ...]:
    """Return the portions by territory of their beneficiary, the largest first."""
    sums: Counter[str] = Counter()
    for portion in portions:
        sums[portion.territory] += portion.cents
    largest_first = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Stays(territory, cents) for territory, cents in largest_first)
