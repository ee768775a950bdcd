"""Whether what comes in each month carries what must be paid each month."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.money import split
from provision.subscriptions.reports.months import month_of, shift
from provision.subscriptions.reports.ratios import ratio

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date
    from fractions import Fraction

    from provision.money import Cents
    from provision.subscriptions.reports.facts import Cost, Income

LONGEST_TERM = 120  # months that one payment can be for


@dataclass(frozen=True)
class Coverage:
    """Recurring cents for a month, incompressible cost of the month, and the first by the second.

    `ratio` is None in a month without such cost.
    """

    month: date
    paid: Cents
    cost: Cents
    ratio: Fraction | None


def coverage(
    incomes: Iterable[Income], costs: Iterable[Cost], months: Sequence[date]
) -> tuple[Coverage, ...]:
    """Return the coverage of each month.

    Formula: recurring income that was received and is for this month / incompressible cost of
    this month. What was paid for several months is spread over them to the cent, from the month
    of its day on: a year paid in January does not make a rich January.
    """
    paid: Counter[date] = Counter()
    for income in incomes:
        if income.recurring and not income.between:
            paid.update(_spread(income))
    due: Counter[date] = Counter()
    for cost in costs:
        if cost.incompressible and not cost.between:
            due[month_of(cost.day)] += cost.cents
    return tuple(
        Coverage(month, paid[month], due[month], ratio(paid[month], due[month])) for month in months
    )


def worst(covered: Iterable[Coverage]) -> Coverage | None:
    """Return the month that was carried least (of equals the first); None without any cost."""
    known = [(month.ratio, month) for month in covered if month.ratio is not None]
    return min(known, key=lambda item: item[0])[1] if known else None


def _spread(income: Income) -> dict[date, Cents]:
    if not 1 <= income.months <= LONGEST_TERM:
        raise PaquetError(f"An income of {income.day} is for {income.months} months")
    first = month_of(income.day)
    parts = split(income.cents_received, [1] * income.months).parts
    return {shift(first, by): part for by, part in enumerate(parts)}
