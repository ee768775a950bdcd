"""How much depends on grants, and how long the money lasts without them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.subscriptions.reports.months import month_of
from provision.subscriptions.reports.ratios import ratio

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date
    from fractions import Fraction

    from provision.money import Cents
    from provision.subscriptions.reports.facts import CashAtHand, Cost, Income


@dataclass(frozen=True)
class Dependency:
    """Income by kind and cost of some months, and the cash at hand.

    Runways are whole months, None while it carries itself. `subsidy_ratio` is None while
    nothing came in.
    """

    sales: Cents
    dues: Cents
    gifts: Cents
    grants: Cents
    other: Cents
    cost: Cents
    cash: Cents
    subsidy_ratio: Fraction | None
    runway: int | None
    runway_without_grants: int | None


def dependency(
    incomes: Iterable[Income],
    costs: Iterable[Cost],
    cash: Iterable[CashAtHand],
    months: Sequence[date],
) -> Dependency:
    """Return what came in and went out in these months, and how long the cash lasts.

    Formulas: subsidy ratio = grants / all income from outside; runway = cash / ((cost - income) /
    months), rounded down; without grants, the income does not count them. Of several amounts
    of cash the latest of each organisation counts.
    """
    inside = [income for income in incomes if month_of(income.day) in months and not income.between]
    kinds: Counter[str] = Counter()
    for income in inside:
        kinds[income.kind] += income.cents_received
    spent = sum(cost.cents for cost in costs if month_of(cost.day) in months and not cost.between)
    at_hand, total = _latest(cash), sum(kinds.values())
    return Dependency(
        sales=kinds["sale"],
        dues=kinds["dues"],
        gifts=kinds["gift"],
        grants=kinds["grant"],
        other=kinds["other"],
        cost=spent,
        cash=at_hand,
        subsidy_ratio=ratio(kinds["grant"], total),
        runway=runway(at_hand, spent - total, len(months)),
        runway_without_grants=runway(at_hand, spent - total + kinds["grant"], len(months)),
    )


def runway(cash: Cents, burnt: Cents, months: int) -> int | None:
    """Return how many whole months the cash lasts when `burnt` cents were lost in `months`."""
    return max(0, cash * months // burnt) if burnt > 0 else None


def _latest(cash: Iterable[CashAtHand]) -> Cents:
    latest: dict[str, CashAtHand] = {}
    for amount in cash:
        known = latest.setdefault(amount.organisation, amount)
        latest[amount.organisation] = max(known, amount, key=lambda row: row.on)
    return sum(amount.cents for amount in latest.values())
