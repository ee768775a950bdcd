"""Make the rows of some tables of one database be exactly what is wanted, in one transaction.

Rows are inserted, or updated by their key. Rows outside the scope (values that all wanted rows
share, or how their text ends) are never touched; a key that stands there already is refused. Tables
are filled in the given order and pruned in the opposite one, so that children of a foreign key go
first. Check mode does all of it and rolls back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible.module_utils.paquet_paths import Refused
from ansible.module_utils.paquet_postgres import MISSING, WHERE, connected, psycopg, sql

if TYPE_CHECKING:
    from psycopg.sql import Composable

Change = tuple[str, tuple[str, ...]]

TABLE = {
    "table": {"required": True},
    "key": {"type": "list", "elements": "str", "required": True},
    "scope": {"type": "dict", "default": {}},
    "scope_suffix": {"type": "dict", "default": {}},
    "rows": {"type": "list", "elements": "dict", "default": []},
    "prune": {"type": "bool", "default": False},
}
ARGUMENTS = {
    "database": {"required": True},
    "tables": {"type": "list", "elements": "dict", "required": True, "options": TABLE},
    **WHERE,
}


def write_rows(connection: psycopg.Connection, wanted: dict[str, Any]) -> list[tuple[str, ...]]:
    """Insert or update the wanted rows; return the keys of those that were not as wanted."""
    written: list[tuple[str, ...]] = []
    for row in wanted["rows"]:
        whole = {**row, **wanted["scope"]}
        statement = _upsert(wanted, list(whole))
        written += connection.execute(statement, whole | _scope_values(wanted)).fetchall()
        _refuse_foreign(connection, wanted, whole)
    return written


def _upsert(wanted: dict[str, Any], columns: list[str]) -> Composable:
    others = [column for column in columns if column not in wanted["key"]]
    change = sql.SQL("do nothing")
    if others:
        change = sql.SQL("do update set {set} where ({old}) is distinct from ({new}) and {mine}")
        change = change.format(
            set=_joined(others, "{0} = excluded.{0}"),
            old=_joined(others, "standing.{0}"),
            new=_joined(others, "excluded.{0}"),
            mine=_in_scope(wanted),
        )
    statement = sql.SQL(
        "insert into {table} as standing ({columns}) values ({values})"
        " on conflict ({key}) {change} returning {key_text}"
    )
    return statement.format(
        table=sql.Identifier("public", wanted["table"]),
        columns=_joined(columns, "{0}"),
        values=sql.SQL(", ").join(map(sql.Placeholder, columns)),
        key=_joined(wanted["key"], "{0}"),
        change=change,
        key_text=_joined(wanted["key"], "standing.{0}::text"),
    )


def _joined(columns: list[str], pattern: str) -> Composable:
    pieces = [sql.SQL(pattern).format(sql.Identifier(column)) for column in columns]
    return sql.SQL(", ").join(pieces)


def _in_scope(wanted: dict[str, Any]) -> Composable:
    """Return the condition that holds for the rows in scope, on the alias `standing`."""
    same = [
        sql.SQL("standing.{} = {}").format(
            sql.Identifier(column), sql.Placeholder(f"scope {column}")
        )
        for column in wanted["scope"]
    ]
    ends = [
        sql.SQL("right(standing.{0}, length({1})) = {1}").format(
            sql.Identifier(column), sql.Placeholder(f"end {column}")
        )
        for column in wanted["scope_suffix"]
    ]
    return sql.SQL(" and ").join([*same, *ends, sql.SQL("true")])


def _scope_values(wanted: dict[str, Any]) -> dict[str, Any]:
    same = {f"scope {column}": value for column, value in wanted["scope"].items()}
    ends = {f"end {column}": value for column, value in wanted["scope_suffix"].items()}
    return same | ends


def _refuse_foreign(
    connection: psycopg.Connection, wanted: dict[str, Any], row: dict[str, Any]
) -> None:
    mine = _joined(wanted["key"], "standing.{0}::text")
    query = sql.SQL("select {mine} from {table} as standing where {scope} and {key}").format(
        mine=mine,
        table=sql.Identifier("public", wanted["table"]),
        scope=_in_scope(wanted),
        key=_same_key(wanted["key"]),
    )
    if connection.execute(query, row | _scope_values(wanted)).fetchone() is None:
        key = ", ".join(str(row[column]) for column in wanted["key"])
        raise Refused(f"{wanted['table']}: {key} belongs to another owner")


def _same_key(columns: list[str]) -> Composable:
    pieces = [
        sql.SQL("standing.{} = {}").format(sql.Identifier(column), sql.Placeholder(column))
        for column in columns
    ]
    return sql.SQL(" and ").join(pieces)


def prune_rows(connection: psycopg.Connection, wanted: dict[str, Any]) -> list[tuple[str, ...]]:
    """Delete the rows in scope that are not wanted; return their keys."""
    if not wanted["prune"]:
        return []
    keep = {
        f"keep {number} {column}": (row | wanted["scope"])[column]
        for number, row in enumerate(wanted["rows"])
        for column in wanted["key"]
    }
    statement = sql.SQL("delete from {table} as standing where {scope} {keep} returning {key}")
    statement = statement.format(
        table=sql.Identifier("public", wanted["table"]),
        scope=_in_scope(wanted),
        keep=_but_not(wanted),
        key=_joined(wanted["key"], "standing.{0}::text"),
    )
    return connection.execute(statement, keep | _scope_values(wanted)).fetchall()


def _but_not(wanted: dict[str, Any]) -> Composable:
    if not wanted["rows"]:
        return sql.SQL("")
    kept = [
        sql.SQL("({})").format(
            sql.SQL(", ").join(sql.Placeholder(f"keep {number} {key}") for key in wanted["key"])
        )
        for number in range(len(wanted["rows"]))
    ]
    statement = sql.SQL("and ({columns}) not in ({kept})")
    columns = _joined(wanted["key"], "standing.{0}::text")
    return statement.format(columns=columns, kept=sql.SQL(", ").join(kept))


def settle(
    connection: psycopg.Connection, tables: list[dict[str, Any]], *, check: bool
) -> tuple[list[Change], list[Change]]:
    """Write all, then prune all; return the two lists of (table, key) that changed."""
    written = [(table["table"], key) for table in tables for key in write_rows(connection, table)]
    pruned = [
        (table["table"], key) for table in reversed(tables) for key in prune_rows(connection, table)
    ]
    if check:
        connection.rollback()
    return written, pruned


def _result(written: list[Change], pruned: list[Change]) -> dict[str, Any]:
    return {
        "changed": bool(written or pruned),
        "written": _count(written),
        "deleted": _count(pruned),
        "diff": {"before": _lines(pruned), "after": _lines(written)},
    }


def _count(changes: list[Change]) -> dict[str, int]:
    tables = [table for table, _ in changes]
    return {table: tables.count(table) for table in tables}


def _lines(changes: list[Change]) -> str:
    return "".join(f"{table}: {', '.join(key)}\n" for table, key in changes)


def bring(params: dict[str, Any], *, check: bool) -> dict[str, Any]:
    """Settle all tables; check mode may come before psycopg is there."""
    if psycopg is None and check:
        return {"changed": True, "written": {}, "deleted": {}}
    if psycopg is None:
        raise Refused(MISSING)
    where = {name: params[name] for name in WHERE}
    try:
        with connected(params["database"], where) as connection:
            return _result(*settle(connection, params["tables"], check=check))
    except (psycopg.Error, Refused) as refused:
        raise Refused(f"rows of {params['database']}: {refused}") from refused
