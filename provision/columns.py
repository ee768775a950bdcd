"""Column types that mean the same in SQLite's STRICT tables and in PostgreSQL."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Date, DateTime, Integer, Text
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy import Dialect


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


class UtcMoment(TypeDecorator[datetime]):
    """A moment as text in universal time (ISO 8601): such texts sort like their moments.

    Where there are no microseconds, a + stands in the place of the dot, and sorts before it.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Given a moment that knows its zone, return its text."""
        del dialect
        return None if value is None else value.astimezone(UTC).isoformat()

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """Given the text, return the moment."""
        del dialect
        return None if value is None else datetime.fromisoformat(value)


class MaybeText(TypeDecorator[str]):
    """A text that may be missing: '' here is NULL there, which no unique key takes for the same."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Given a text, return it, and None for an empty one."""
        del dialect
        return value or None

    def process_result_value(self, value: str | None, dialect: Dialect) -> str:
        """Given what the database has, return a text."""
        del dialect
        return value or ""


DAY = Date().with_variant(IsoDay(), "sqlite")
MOMENT = DateTime(timezone=True).with_variant(UtcMoment(), "sqlite")
STRICT = {"sqlite_strict": True}
UNITS = BigInteger().with_variant(Integer(), "sqlite")
