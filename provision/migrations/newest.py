"""Whether a registry has the newest schema: one cheap query, before anything heavy is imported."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from provision import database

if TYPE_CHECKING:
    from sqlalchemy import Engine

VERSIONS = Path(__file__).parent / "versions"
TABLE = "alembic_version"
DIGITS = 4  # with which the name of each step begins: its revision


def newest() -> str:
    """Return the revision of the newest schema."""
    return max(path.name[:DIGITS] for path in VERSIONS.glob("[0-9]*.py"))


def is_newest(engine: Engine) -> bool:
    """Tell whether the registry is at the newest schema; whoever writes does not make it wait."""
    with database.reading(engine) as session:
        try:
            there = session.scalar(text("SELECT version_num FROM alembic_version"))
        except DBAPIError as wrong:
            failed = wrong
        else:
            return bool(there == newest())
    with database.reading(engine) as session:
        if inspect(session.connection()).has_table(TABLE):
            raise failed
    return False
