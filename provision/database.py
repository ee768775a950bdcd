"""The registry's database: SQLite in one file, or PostgreSQL by URL, with the same promises."""

from __future__ import annotations

import os
import random
import sqlite3
import stat
import time
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from sqlalchemy import MetaData, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session

from provision.errors import PaquetError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Dialect, Engine

Row: TypeAlias = "dict[str, object]"
MOST_TRIES = 9
FIRST_PAUSE = 0.01  # seconds at most, then twice as long each time: two do not meet again
AT_ONCE = 500  # rows of one INSERT of SQLite, which takes 32,766 values
CACHE_KIB = 65_536
WAIT_MS = 30_000
PRIVATE = 0o600
BESIDE = ("-wal", "-shm", "-journal")
READS = "paquet_reads"  # the option of a connection that does not write
# serialization_failure, deadlock_detected, unique_violation: the last one, too, may be another's
# work that was not seen yet (postgresql.org/docs, "Serialization Failure Handling").
DONE_AGAIN = ("40001", "40P01", "23505")
PIECE = 5_000  # values of one question: SQLite takes 32,766 in all
Result = TypeVar("Result")
Item = TypeVar("Item")
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
    event.listen(engine, "do_connect", _keep_private)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin)
    return engine


def stands(engine: Engine) -> bool:
    """Tell whether there is a registry: the file of SQLite is made by whoever connects first."""
    file = engine.url.database
    return engine.dialect.name != "sqlite" or file in (None, ":memory:") or Path(file).exists()


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """One unit of work: all of it is committed at the end, or nothing."""
    with Session(engine, expire_on_commit=False) as session:
        try:
            with session.begin():
                yield session
        except OperationalError as busy:
            raise _busy(busy) from busy


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """One look at the registry as it is now: it waits for no writer, and nothing can be written.

    SQLite begins without the write lock; PostgreSQL reads one snapshot, which never makes a
    serializable writer start again.
    """
    with Session(_only_reading(engine), expire_on_commit=False) as session:
        try:
            with session.begin():
                yield session
        except OperationalError as busy:
            if getattr(busy.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY:
                raise  # our own fault, not somebody else's lock
            raise _busy(busy) from busy


def _only_reading(engine: Engine) -> Engine:
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return engine.execution_options(**{READS: True})


def retried(engine: Engine, work: Callable[[Session], Result]) -> Result:
    """Return what `work` returns in a unit of work of its own.

    PostgreSQL refuses the later of two that would interleave; that one is done again from the
    start, so `work` reads everything anew.
    """
    for attempt in range(MOST_TRIES - 1):
        try:
            with Session(engine, expire_on_commit=False) as session, session.begin():
                return work(session)
        except DBAPIError as refused:
            if getattr(refused.orig, "sqlstate", "") in DONE_AGAIN:
                time.sleep(random.uniform(0, FIRST_PAUSE * 2**attempt))  # noqa: S311 (no secret)
                continue
            if isinstance(refused, OperationalError):
                raise _busy(refused) from refused
            raise
    with transaction(engine) as session:
        return work(session)


def _busy(busy: OperationalError) -> PaquetError:
    return PaquetError(
        f"The registry could not be used: {busy.orig}",
        "Somebody else may be writing for long: try again in a minute.",
    )


def pieces(items: Sequence[Item], most: int = PIECE) -> Iterator[Sequence[Item]]:
    """Cut a long list, so that each piece fits into one question."""
    for start in range(0, len(items), most):
        yield items[start : start + most]


def insert_many(session: Session, table: type[Base], rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows that have equal keys, past the ORM: PostgreSQL by COPY, SQLite hundreds at once.

    A hundred thousand invoices are a million rows; the ORM would take most of the time of a run.
    """
    if not rows:
        return
    session.flush()
    connection = session.connection()
    name, columns = table.__tablename__, list(rows[0])
    named = ", ".join(f'"{column}"' for column in columns)
    values = list(zip(*_by_column(table, rows, connection.dialect), strict=True))
    if connection.dialect.name == "postgresql":
        _copy(connection, f'COPY "{name}" ({named}) FROM STDIN', values)
        return
    marks = f"({', '.join('?' * len(columns))})"
    for part in pieces(values, AT_ONCE):
        every = ", ".join([marks] * len(part))
        statement = f'INSERT INTO "{name}" ({named}) VALUES {every}'  # noqa: S608 (our own names)
        connection.exec_driver_sql(statement, tuple(chain.from_iterable(part)))


def _copy(connection: Connection, statement: str, values: Sequence[Sequence[object]]) -> None:
    """Copy rows through the driver itself; its errors become those of SQLAlchemy."""
    error: type[Exception] = connection.dialect.loaded_dbapi.Error
    try:
        with connection.connection.cursor().copy(statement) as copy:
            for value in values:
                copy.write_row(value)
    except error as wrong:
        raise DBAPIError.instance(statement, {}, wrong, error) from wrong


def _by_column(
    table: type[Base], rows: Sequence[Mapping[str, object]], dialect: Dialect
) -> Iterator[list[object]]:
    """Yield the values of each column, as the driver takes them: SQLite keeps days as texts."""
    for column in rows[0]:
        values = [row[column] for row in rows]
        kind = table.__table__.columns[column].type
        process = kind.dialect_impl(dialect).bind_processor(dialect)
        if process is not None:
            processed = {value: process(value) for value in set(values)}
            values = [processed[value] for value in values]
        yield values


def _keep_private(_dialect: object, _record: object, words: list[Any], _named: object) -> None:
    """See that only its owner reads the file, whatever the umask, and what SQLite lays beside it.

    SQLite gives its journals the mode of the database. What belongs to somebody else, its owner
    narrows. Never opened here: closing it would end every lock that this process has on it
    (sqlite.org/howtocorrupt.html, section 2.2).
    """
    file = Path(words[0]).resolve()  # a link may point to what does not stand yet
    if words[0] in ("", ":memory:") or not file.parent.is_dir():
        return
    with suppress(OSError):  # it stands already; what else is wrong, SQLite says
        os.mknod(file, stat.S_IFREG | PRIVATE)
    for path in (file, *(file.with_name(file.name + end) for end in BESIDE)):
        with suppress(FileNotFoundError, PermissionError):
            if stat.S_IMODE(path.stat().st_mode) != PRIVATE:
                path.chmod(PRIVATE)


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 (the driver's own)
    connection.isolation_level = None  # we say BEGIN ourselves, see below
    for pragma in (
        f"busy_timeout = {WAIT_MS}",
        f"cache_size = -{CACHE_KIB}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    """Take the write lock at once: a later upgrade fails with SQLITE_BUSY whatever the wait.

    Who only reads takes no lock, and cannot write.
    """
    reads = bool(connection.get_execution_options().get(READS))
    connection.exec_driver_sql(f"PRAGMA query_only = {int(reads)}")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
