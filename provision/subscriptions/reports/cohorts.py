"""Who began together, and how many of them are still there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.subscriptions.reports.months import between, last_day, month_of, shift

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from provision.subscriptions.reports.facts import Life


@dataclass(frozen=True)
class Cohort:
    """Subscribers whose first subscription began in `month`.

    `there[n]` of them had one on the last day of the n-th month after it; who came back counts.
    """

    month: date
    size: int
    there: tuple[int, ...]


def cohorts(lives: Iterable[Life], months: Sequence[date]) -> tuple[Cohort, ...]:
    """Return the triangle: a row for each month in which somebody began, the oldest first."""
    by_person: dict[str, list[Life]] = {}
    for life in lives:
        by_person.setdefault(life.subscriber_reference, []).append(life)
    groups: dict[date, list[list[Life]]] = {}
    for theirs in by_person.values():
        began = month_of(min(life.first_day for life in theirs))
        groups.setdefault(began, []).append(theirs)
    return tuple(
        Cohort(month, len(groups[month]), _there(groups[month], month, months[-1]))
        for month in months
        if month in groups
    )


def _there(group: list[list[Life]], month: date, last: date) -> tuple[int, ...]:
    ages = range(between(month, last) + 1)
    ends = [last_day(shift(month, age)) for age in ages]
    return tuple(sum(any(_served(life, end) for life in lives) for lives in group) for end in ends)


def _served(life: Life, day: date) -> bool:
    return life.first_day <= day and (life.last_day is None or day <= life.last_day)
