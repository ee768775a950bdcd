"""Everything that the registry holds of one person, found by the ways from table to table."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import and_, select, tuple_

from provision.database import pieces
from provision.subscriptions.parties.identities import Person
from provision.subscriptions.privacy import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import MetaData, Table
    from sqlalchemy.orm import Session

    from provision.subscriptions.privacy.tables import Link

Row: TypeAlias = dict[str, Any]
Gathered: TypeAlias = dict[str, list[Row]]
SHORTEST_WORD = 3


def gather(session: Session, there: MetaData, subscriber_id: int) -> Gathered:
    """Return the person's rows by table, whole, in the order of their keys.

    A table may be reached by several ways, and from rows that are found later: it goes round until
    nothing more is found.
    """
    root = there.tables[tables.ROOT]
    ways = tables.of_persons(there)
    gathered: dict[str, dict[tuple[object, ...], Row]] = {name: {} for name in ways}
    _keep(
        gathered, root, session.execute(select(root).where(root.c.id == subscriber_id)).mappings()
    )
    grown = True
    while grown:
        before = sum(map(len, gathered.values()))
        for name, links in ways.items():
            for link in links:
                rows = _linked(session, there.tables[name], link, gathered[link.target].values())
                _keep(gathered, there.tables[name], rows)
        grown = sum(map(len, gathered.values())) > before
    return {name: _in_order(rows) for name, rows in gathered.items() if rows}


def identifying(gathered: Gathered) -> list[str]:
    """Return the texts that say who the person is, the longest first: names, addresses, domains."""
    wishes = [row["wish"] for row in gathered.get("order", ()) if isinstance(row["wish"], dict)]
    people = [_person(row) for row in gathered.get("identity", ())]
    return _sorted(
        {
            *_texts(gathered, "subscriber", ("name", "email")),
            *_texts(gathered, "user", ("address", "display_name")),
            *_texts(gathered, "bundle", ("domain",)),
            *(str(wish.get(key, "")) for wish in wishes for key in ("email", "name", "domain")),
            *(text for person in people for text in (person.name, person.email)),
        }
    )


def names(gathered: Gathered) -> set[str]:
    """Return what the person was ever called."""
    called = {_person(row).name for row in gathered.get("identity", ())}
    return called.union(_texts(gathered, "subscriber", ("name",)))


def words_of(gathered: Gathered) -> list[str]:
    """Return all texts that the person gave, also those that others may have given as well.

    They are looked for in what is about the person alone.
    """
    people = [_person(row) for row in gathered.get("identity", ())]
    return _sorted(
        {
            *identifying(gathered),
            *_texts(gathered, "device", ("name",)),
            *(text for person in people for text in (person.siren, person.vat_id)),
            *(line for person in people if person.address for line in person.address.lines),
        }
    )


def subjects(gathered: Gathered) -> set[str]:
    """Return the names under which events speak of what is the person's: `order:12`, `bundle:…`."""
    return {
        f"{name}:{row['name'] if name == 'bundle' else row['id']}"
        for name, rows in gathered.items()
        for row in rows
        if "id" in row
    }


def naming(words: Iterable[str]) -> re.Pattern[str]:
    """Return what finds one of these words as a whole, whatever its capitals.

    A domain takes the first part of an address at it along.
    """
    either = "|".join(re.escape(word) for word in words) or r"(?!)"
    return re.compile(rf"(?<!\w)(?:[^\s<>@]+@)?(?:{either})(?!\w)", re.IGNORECASE)


def day(value: date | str) -> date:
    """Return a day as the database gave it: SQLite keeps days as text."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def _linked(session: Session, table: Table, link: Link, targets: Iterable[Row]) -> Iterator[Row]:
    columns = [table.c[name] for name in link.columns]
    values = [tuple(row[name] for name in link.target_columns) for row in targets]
    for part in pieces(values):
        belongs: Any = (
            columns[0].in_([value for (value,) in part])
            if len(columns) == 1
            else and_(columns[0].in_({value[0] for value in part}), tuple_(*columns).in_(part))
        )
        yield from session.execute(select(table).where(belongs)).mappings()  # type: ignore[misc]


def _keep(
    gathered: dict[str, dict[tuple[object, ...], Row]],
    table: Table,
    rows: Iterable[Mapping[Any, Any]],
) -> None:
    keys = [column.name for column in table.primary_key]
    for row in rows:
        gathered[table.name].setdefault(tuple(row[key] for key in keys), dict(row))


def _in_order(rows: Mapping[tuple[Any, ...], Row]) -> list[Row]:
    return [rows[key] for key in sorted(rows)]


def _texts(gathered: Gathered, table: str, columns: Sequence[str]) -> Iterator[str]:
    for row in gathered.get(table, ()):
        for column in columns:
            yield str(row[column] or "")  # an e-mail address may be missing


def _person(identity: Row) -> Person:
    return Person.model_validate_json(identity["content"], strict=False)


def _sorted(words: set[str]) -> list[str]:
    long = (word for word in words if len(word) >= SHORTEST_WORD)
    return sorted(long, key=lambda word: (-len(word), word))
