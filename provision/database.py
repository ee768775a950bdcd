"""The registry's database: SQLite in one file, or PostgreSQL by URL, with the same promises."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import MetaData, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session

from provision.errors import PaquetError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

WAIT_MS = 30_000
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The root of every table; constraints have names, so that migrations can speak of them."""

    metadata = MetaData(naming_convention=NAMES)


def connect(url: str) -> Engine:
    """Return an engine for `url` (`sqlite:///file` or `postgresql://…`)."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql":
            psycopg = parsed.set(drivername="postgresql+psycopg")
            return create_engine(psycopg, isolation_level="SERIALIZABLE")
        engine = create_engine(parsed)
    except (ArgumentError, ModuleNotFoundError) as wrong:
        raise PaquetError(
            f"The registry's address is not understood: {wrong}",
            "Use sqlite:///paquet.db or postgresql://user@host/database.",
        ) from None
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediately)
    return engine


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """One unit of work: all of it is committed at the end, or nothing."""
    with Session(engine, expire_on_commit=False) as session:
        try:
            with session.begin():
                yield session
        except OperationalError as busy:
            raise PaquetError(
                f"The registry could not be used: {busy.orig}",
                "Somebody else may be writing for long: try again in a minute.",
            ) from busy


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 (the driver's own)
    connection.isolation_level = None  # we say BEGIN ourselves, see below
    for pragma in (
        f"busy_timeout = {WAIT_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediately(connection: Connection) -> None:
    """Take the write lock at once: a later upgrade fails with SQLITE_BUSY whatever the wait."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
