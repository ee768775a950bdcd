"""Months as their first days, and how they are counted."""

from __future__ import annotations

from datetime import date, timedelta

MONTHS_OF_A_YEAR = 12


def month_of(day: date) -> date:
    """Return the first day of the month of `day`."""
    return day.replace(day=1)


def shift(month: date, by: int) -> date:
    """Return the month that is `by` months later (earlier below zero)."""
    years, place = divmod(month.month - 1 + by, MONTHS_OF_A_YEAR)
    return date(month.year + years, place + 1, 1)


def last_day(month: date) -> date:
    """Return the last day of the month."""
    return shift(month, 1) - timedelta(days=1)


def between(first: date, last: date) -> int:
    """Return how many months lie from one month to another: 0 for the same."""
    return (last.year - first.year) * MONTHS_OF_A_YEAR + last.month - first.month


def year_until(until: date, count: int = MONTHS_OF_A_YEAR) -> tuple[date, ...]:
    """Return the `count` months that end with the month of `until`, the oldest first."""
    last = month_of(until)
    return tuple(shift(last, by) for by in range(1 - count, 1))
