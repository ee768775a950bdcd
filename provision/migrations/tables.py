"""Tables as migrations make them: the same columns, keys and names on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import op

if TYPE_CHECKING:
    from collections.abc import Mapping

# STRICT tables of SQLite know INTEGER and TEXT only; PostgreSQL gets its own types.
day = sa.Date().with_variant(sa.Text(), "sqlite")
units = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def table(name: str, *parts: sa.Column[Any] | sa.Constraint) -> None:
    """Make a table, STRICT on SQLite, whose keys have names."""
    columns = [part for part in parts if isinstance(part, sa.Column)]
    keys = [column.name for column in columns if column.info.get("key") or column.primary_key]
    for column in columns:
        column.primary_key = False
    op.create_table(
        name,
        *parts,
        sa.PrimaryKeyConstraint(*keys, name=f"pk_{name}"),
        *(
            sa.ForeignKeyConstraint(
                [column.name], [column.info["to"]], name=f"fk_{name}_{column.name}"
            )
            for column in columns
            if "to" in column.info
        ),
        sqlite_strict=True,
    )


def number(
    name: str, *, key: bool = False, to: str | None = None, nullable: bool = False
) -> sa.Column[int]:
    """Return a column of whole numbers: part of the primary key, or pointing `to` a column."""
    info: dict[str, object] = {"key": key} | ({"to": to} if to else {})
    return sa.Column(name, sa.Integer, nullable=nullable, info=info)


def words(name: str, *, key: bool = False, default: str | None = None) -> sa.Column[str]:
    """Return a column of text."""
    return sa.Column(name, sa.Text, nullable=False, server_default=default, info={"key": key})


def refer(to: str, columns: tuple[str, ...], name: str) -> sa.ForeignKeyConstraint:
    """Refer to a row that is written after this one, in the same unit of work."""
    return sa.ForeignKeyConstraint(
        list(columns),
        [f"{to}.{column}" for column in columns],
        name=name,
        deferrable=True,
        initially="DEFERRED",
    )


def rewrite(table: str, pieces: Mapping[str, str]) -> None:
    """Write pieces of a table's definition anew, on SQLite, which alters no condition of a column.

    No row changes: what there is must hold under the new words (sqlite.org/lang_altertable, 7).
    """
    bind = op.get_bind()
    version = bind.exec_driver_sql("PRAGMA schema_version").scalar_one()
    bind.exec_driver_sql("PRAGMA writable_schema = ON")
    for before, after in pieces.items():
        changed = bind.exec_driver_sql(
            "UPDATE sqlite_schema SET sql = replace(sql, ?, ?) "
            "WHERE type = 'table' AND name = ? AND instr(sql, ?) > 0",
            (before, after, table, before),
        )
        if changed.rowcount != 1:
            raise RuntimeError(f"{table} has no condition {before}")
    bind.exec_driver_sql(f"PRAGMA schema_version = {int(version) + 1}")
    bind.exec_driver_sql("PRAGMA writable_schema = OFF")
