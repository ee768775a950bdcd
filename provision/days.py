"""Days that money can have: of this century, and periods that end after they begin."""

from __future__ import annotations

from datetime import date, timedelta

from provision.errors import PaquetError, UsageRefused

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
ONE_DAY = timedelta(days=1)


def sensible_day(day: date, what: str) -> date:
    """Return `day` if it lies in this century; money of 1900 or 9999 is a slip of the pen."""
    if not FIRST_DAY <= day <= LAST_DAY:
        raise PaquetError(
            f"{day.isoformat()} cannot be {what}",
            f"Give a day from {FIRST_DAY.isoformat()} to {LAST_DAY.isoformat()}.",
        )
    return day


def sensible_period(first_day: date, last_day: date, what: str) -> None:
    """Refuse days of another century, and a period that ends before it begins."""
    for day in (first_day, last_day):
        sensible_day(day, what)
    if last_day < first_day:
        raise UsageRefused(f"{last_day} is before {first_day}", "A period ends after it begins.")
