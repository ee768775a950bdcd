"""Triggers that keep rows as they were written, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from alembic import op

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@dataclass(frozen=True)
class RowGuard:
    """A condition on a new row of `table` (`NEW`) that refuses it, and the sentence that says so.

    Details are written before the row that seals them (a deferred foreign key asks for that row),
    so one check on that row sees the whole, on both databases alike.
    """

    table: str
    name: str
    refused: str
    sentence: str


def guard(
    dialect: str,
    added_only: Mapping[str, Sequence[Sequence[str]]],
    checks: Iterable[RowGuard],
    pinned: Mapping[str, Sequence[str]],
) -> None:
    """Make the triggers: tables that are only added to (with their keys), checks, kept columns.

    The first of the kept columns of a table is its key.

    SQLite's INSERT OR REPLACE deletes without asking a DELETE trigger, hence the keys: an insert
    that meets one of them is refused before it replaces.
    """
    if dialect == "sqlite":
        _guard_sqlite(added_only, checks, pinned)
    else:
        _guard_postgresql(added_only, checks, pinned)


def _guard_sqlite(
    added_only: Mapping[str, Sequence[Sequence[str]]],
    checks: Iterable[RowGuard],
    pinned: Mapping[str, Sequence[str]],
) -> None:
    for table, keys in added_only.items():
        for verb in ("UPDATE", "DELETE"):
            _sqlite(f"{table}_no_{verb.lower()}", f"{verb} ON {table}", "1", _kept(table))
        for number, key in enumerate(keys, start=1):
            same = " AND ".join(f"there.{column} = NEW.{column}" for column in key)
            there = f"EXISTS (SELECT 1 FROM {table} AS there WHERE {same})"  # noqa: S608 (our own names)
            _sqlite(f"{table}_no_replace_{number}", f"INSERT ON {table}", there, _kept(table))
    for check in checks:
        event = f"INSERT ON {check.table}"
        _sqlite(f"{check.table}_{check.name}", event, check.refused, check.sentence)
    for table, columns in pinned.items():
        event = f"UPDATE OF {', '.join(columns)} ON {table}"
        _sqlite(f"{table}_pinned", event, "1", _pinned(table, columns))
        key = columns[0]
        there = f"EXISTS (SELECT 1 FROM {table} AS there WHERE there.{key} = NEW.{key})"  # noqa: S608 (our own names)
        _sqlite(f"{table}_no_replace", f"INSERT ON {table}", there, _pinned(table, columns))


def _sqlite(name: str, event: str, refused: str, sentence: str) -> None:
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {event} WHEN {refused} "
        f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
    )


def _guard_postgresql(
    added_only: Mapping[str, Sequence[Sequence[str]]],
    checks: Iterable[RowGuard],
    pinned: Mapping[str, Sequence[str]],
) -> None:
    for table in added_only:
        for level, verbs in (("ROW", "UPDATE OR DELETE"), ("STATEMENT", "TRUNCATE")):
            op.execute(
                f"CREATE TRIGGER {table}_kept_by_{level.lower()} BEFORE {verbs} ON {table} "
                f"FOR EACH {level} EXECUTE FUNCTION paquet_refuse('{_kept(table)}')"
            )
    by_table = sorted(checks, key=lambda check: check.table)
    for table, of_table in groupby(by_table, lambda check: check.table):
        _postgresql_checks(table, list(of_table))
    for table, columns in pinned.items():
        op.execute(
            f"CREATE TRIGGER {table}_pinned BEFORE UPDATE OF {', '.join(columns)} ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION paquet_refuse('{_pinned(table, columns)}')"
        )


def _postgresql_checks(table: str, checks: Sequence[RowGuard]) -> None:
    """Let one function look: a WHEN clause of PostgreSQL may not read other rows.

    Its plans are made while the tables are empty, and kept: without the setting they would read
    whole tables for ever.
    """
    name = f"{table}_{'_'.join(check.name for check in checks)}"
    looks = " ".join(
        f"IF {check.refused} THEN RAISE EXCEPTION '{check.sentence}'; END IF;" for check in checks
    )
    op.execute(
        f"CREATE FUNCTION paquet_{name}() RETURNS trigger LANGUAGE plpgsql "
        f"SET enable_seqscan = off AS "
        f"$$BEGIN {looks} RETURN NEW; END$$"
    )
    op.execute(
        f"CREATE TRIGGER {name} BEFORE INSERT ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION paquet_{name}()"
    )


def guard_together(checks: Iterable[RowGuard]) -> None:
    """Let PostgreSQL look once at all rows that a statement wrote, when they are there.

    A condition must hold for rows among those that it looks through: it may not count them. The
    settings keep its plans to look-ups by index, however many rows there will be one day.
    """
    by_table = sorted(checks, key=lambda check: check.table)
    for table, of_table in groupby(by_table, lambda check: check.table):
        looks = " ".join(
            f"IF EXISTS (SELECT 1 FROM fresh AS new WHERE {check.refused}) "  # noqa: S608 (our own words)
            f"THEN RAISE EXCEPTION '{check.sentence}'; END IF;"
            for check in of_table
        )
        op.execute(
            f"CREATE FUNCTION paquet_{table}_together() RETURNS trigger LANGUAGE plpgsql "
            "SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off "
            f"AS $$\n#variable_conflict use_column\nBEGIN {looks} RETURN NULL; END$$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_together AFTER INSERT ON {table} "
            "REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT "
            f"EXECUTE FUNCTION paquet_{table}_together()"
        )


def _kept(table: str) -> str:
    return f"rows of {table} are only ever added"


def _pinned(table: str, columns: Sequence[str]) -> str:
    return f"{', '.join(columns)} of {table} are never changed"
