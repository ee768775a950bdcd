"""Who received what from each euro that subscribers paid."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.money import show_euros
from provision.subscriptions.reports.ratios import exact_shares

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provision.money import Cents
    from provision.subscriptions.reports.facts import Portion


@dataclass(frozen=True)
class Received:
    """What a beneficiary got in one role, and its share of all in basis points."""

    kind: str
    beneficiary: str
    role: str
    cents: Cents
    basis_points: int | None


def received(portions: Iterable[Portion], paid_cents: Cents) -> tuple[Received, ...]:
    """Return the sum of each (kind, beneficiary, role), the largest first.

    Formula: cents = sum of its portions; basis points = `exact_shares` of cents over all cents,
    so that they add up to 10 000 exactly (None while refunds leave somebody below zero).
    Raises PaquetError unless the portions add up to `paid_cents`: a report that loses a cent
    is not shown.
    """
    sums: Counter[tuple[str, str, str]] = Counter()
    for portion in portions:
        sums[portion.beneficiary_kind, portion.beneficiary, portion.role] += portion.cents
    told = sum(sums.values())
    if told != paid_cents:
        raise PaquetError(
            f"Subscribers paid {show_euros(paid_cents)}, but the portions add up to "
            f"{show_euros(told)}",
            "Run `paquet books verify`: a payment is not shared, or is shared twice.",
        )
    largest_first = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    shares = exact_shares([cents for _, cents in largest_first] or [0])
    return tuple(
        Received(*who, cents, shares[place] if shares else None)
        for place, (who, cents) in enumerate(largest_first)
    )
