"""The questions of `invariants.sql`, asked of a registry."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

NEXT_DAY = {"sqlite": "DATE(ends_on, '+1 day')", "postgresql": "ends_on + 1"}
QUESTION = re.compile(r"^--\? (.+?) \| (.+)\n((?:(?!--).*\n)+)", re.MULTILINE)


@dataclass(frozen=True)
class Discrepancy:
    """Something that is wrong: where, and what."""

    where: str
    what: str


def broken(session: Session) -> Iterator[Discrepancy]:
    """Yield every place where an invariant does not hold."""
    connection = session.connection()
    for where, what, question in _questions():
        asked = question.replace("NEXT_DAY", NEXT_DAY[connection.dialect.name])
        for row in connection.exec_driver_sql(asked):
            yield Discrepancy(where.format(*row), what.format(*row))


@cache
def _questions() -> tuple[tuple[str, str, str], ...]:
    text = Path(__file__).with_name("invariants.sql").read_text(encoding="utf-8")
    return tuple(QUESTION.findall(text))
