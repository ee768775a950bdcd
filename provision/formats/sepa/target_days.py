"""The days on which SEPA banks settle: TARGET's calendar.

Source: European Central Bank, TARGET long-term calendar in force since 2002 (decision of 14
December 2000): closed on Saturdays, Sundays, 1 January, Good Friday, Easter Monday, 1 May, 25 and
26 December; open on every national holiday that is not among these, 14 July for one.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from dateutil.easter import easter

from provision.days import ONE_DAY, sensible_day
from provision.errors import UsageRefused

if TYPE_CHECKING:
    from datetime import date

SATURDAY = 5
FIXED = frozenset({(1, 1), (5, 1), (12, 25), (12, 26)})
FROM_EASTER = frozenset({timedelta(days=-2), timedelta(days=1)})
MOST_LEAD = 60


def is_target_day(day: date) -> bool:
    """Tell whether banks settle on `day`; a day outside this century is refused."""
    sensible_day(day, "a day of payments")
    if day.weekday() >= SATURDAY or (day.month, day.day) in FIXED:
        return False
    return day - easter(day.year) not in FROM_EASTER


def first_open_day(day: date) -> date:
    """Return `day` if banks settle on it, else the next day on which they do."""
    while not is_target_day(day):
        day += ONE_DAY
    return day


def next_collection_day(day: date, lead: int = 1) -> date:
    """Return the first day on which debits that are handed over on `day` can be collected.

    The bank takes them on the next day that is open (`day` itself when it is), and needs `lead`
    open days: 1 by the rules of SEPA Core (EPC016-06, since November 2016), more if
    the bank says so.
    """
    if not 1 <= lead <= MOST_LEAD:
        raise UsageRefused(f"A lead of {lead} days is not from 1 to {MOST_LEAD}")
    open_day = first_open_day(day)
    for _ in range(lead):
        open_day = first_open_day(open_day + ONE_DAY)
    return open_day
