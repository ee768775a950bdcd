"""Column types that mean the same in SQLite's STRICT tables and in PostgreSQL."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Date, Integer, Text
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


DAY = Date().with_variant(IsoDay(), "sqlite")
STRICT = {"sqlite_strict": True}
UNITS = BigInteger().with_variant(Integer(), "sqlite")
