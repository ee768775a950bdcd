"""Working days in France, where a legal delay ends. Pure."""

from __future__ import annotations

from datetime import date, timedelta

from dateutil.easter import easter

FRIDAY = 4
FIXED = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
AFTER_EASTER = (1, 39, 50)  # Easter Monday, Ascension, Whit Monday


def holidays(year: int) -> frozenset[date]:
    """Return the public holidays of a year (Code du travail, L3133-1)."""
    moving = {easter(year) + timedelta(days=days) for days in AFTER_EASTER}
    return frozenset(moving | {date(year, month, day) for month, day in FIXED})


def next_working_day(day: date) -> date:
    """Return `day`, or the first day after it that is no Saturday, Sunday or public holiday."""
    while day.weekday() > FRIDAY or day in holidays(day.year):
        day += timedelta(days=1)
    return day
