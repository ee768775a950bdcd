"""Terms from the day of an anchor, amounts for a part of one, days on which delays end. Pure."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from dateutil.easter import easter
from dateutil.relativedelta import relativedelta

from provision.money import apportion

if TYPE_CHECKING:
    from provision.money import Cents


MONTHLY, YEARLY = "monthly", "yearly"
MONTHS = {MONTHLY: 1, YEARLY: 12}
FRIDAY = 4
FIXED = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
AFTER_EASTER = (1, 39, 50)  # Easter Monday, Ascension, Whit Monday


class Term(NamedTuple):
    """The days from `starts` up to, and without, `until`."""

    starts: date
    until: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.until - self.starts).days


@lru_cache(maxsize=4096)
def term_of(anchor: date, period: str, day: date) -> Term:
    """Return the term that holds `day`, which is not before `anchor`.

    Each boundary is counted from the anchor itself, so that the 31st of January gives the 28th of
    February and then the 31st of March; counting from term to term would stay on the 28th.
    """
    months = MONTHS[period]
    number = ((day.year - anchor.year) * 12 + day.month - anchor.month) // months
    if _boundary(anchor, months * number) > day:
        number -= 1
    return Term(_boundary(anchor, months * number), _boundary(anchor, months * (number + 1)))


def prorated(units: Cents, term: Term, part: Term) -> Cents:
    """Return what `part` of a term costs when all of it costs `units`.

    Its days have what they add to those before them (`apportion`): so parts that make up a term
    cost exactly the term, however often it is cut.
    """
    before, after = (part.starts - term.starts).days, (term.until - part.until).days
    return apportion((before, part.days, after), units)[1]


def _boundary(anchor: date, months: int) -> date:
    moved: date = anchor + relativedelta(months=months)
    return moved


def holidays(year: int) -> frozenset[date]:
    """Return the public holidays of a year (Code du travail, L3133-1)."""
    moving = {easter(year) + timedelta(days=days) for days in AFTER_EASTER}
    return frozenset(moving | {date(year, month, day) for month, day in FIXED})


def next_working_day(day: date) -> date:
    """Return `day`, or the first day after it that is no Saturday, Sunday or public holiday."""
    while day.weekday() > FRIDAY or day in holidays(day.year):
        day += timedelta(days=1)
    return day
