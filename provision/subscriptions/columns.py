"""Column types that mean the same in SQLite's STRICT tables and in PostgreSQL."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Date, Integer, Text
from sqlalchemy.types import TypeDecorator

from provision.errors import PaquetError, UsageRefused

if TYPE_CHECKING:
    from sqlalchemy import Dialect

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)


class IsoDay(TypeDecorator[date]):
    """A day as text 'YYYY-MM-DD': STRICT tables know no DATE, and this text sorts like one."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> str | None:
        """Given a day, return its text."""
        del dialect
        return None if value is None else value.isoformat()

    def process_result_value(self, value: str | None, dialect: Dialect) -> date | None:
        """Given the text, return the day."""
        del dialect
        return None if value is None else date.fromisoformat(value)


DAY = Date().with_variant(IsoDay(), "sqlite")
STRICT = {"sqlite_strict": True}
UNITS = BigInteger().with_variant(Integer(), "sqlite")


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
