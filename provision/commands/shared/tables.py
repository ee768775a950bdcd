"""How results are shown: JSON for programs, and tables in which nothing that counts is broken."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

import click
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from provision import money
from provision.money import Amount

if TYPE_CHECKING:
    from collections.abc import Sequence

Facts: TypeAlias = "dict[str, object]"
Rows: TypeAlias = "Sequence[Mapping[str, object]]"
ENDLESS = 10_000  # columns: what goes through a pipe is folded for nobody's eyes
BETWEEN = 2  # spaces between two columns
PROSE = re.compile(r"[^\W\d_] +\S")  # a word, and another after it


def show(
    result: Mapping[str, object] | Rows, language: str, *, as_json: bool, err: bool = False
) -> None:
    """Print one thing, or a list of things with equal keys, as tables or as JSON.

    Amounts are exact numbers in JSON, else written as in `language`. A list of things within one
    thing becomes a table under it. With `err` it is printed beside the result.
    """
    if as_json:
        click.echo(json.dumps(_exact(result), ensure_ascii=False, indent=2, default=str))
    elif isinstance(result, Mapping):
        _show_one(result, language, err=err)
    elif result:
        rows = [[_cell(value, language) for value in row.values()] for row in result]
        _print_table(list(result[0]), rows, err=err)


def _show_one(facts: Mapping[str, object], language: str, *, err: bool) -> None:
    plain = [[key, _cell(value, language)] for key, value in facts.items() if not _are_rows(value)]
    _print_table(["", ""], plain, err=err)
    for title, value in facts.items():
        if _are_rows(value):
            click.echo(f"\n{title}:", err=err)
            show(value, language, as_json=False, err=err)


def _are_rows(value: object) -> TypeGuard[Rows]:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _exact(value: object) -> object:
    """Return a value with every amount in it as its commodity and whole units."""
    if isinstance(value, Amount):
        return {"commodity": value.commodity.code, "units": value.units}
    if isinstance(value, Mapping):
        return {key: _exact(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_exact(part) for part in value]
    return value


def _cell(value: object, language: str) -> str:
    """Return a value as people read it; of what holds others, those that say something."""
    if isinstance(value, Amount):
        return money.show(value, language)
    if isinstance(value, Mapping):
        said = ((key, _cell(part, language)) for key, part in value.items())
        return ", ".join(f"{key}: {words}" for key, words in said if words)
    if isinstance(value, (list, tuple)):
        return ", ".join(_cell(part, language) for part in value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return "" if value is None else str(value)


def _print_table(
    titles: Sequence[str], rows: Sequence[Sequence[str]], *, err: bool = False
) -> None:
    """Print rows side by side where that breaks nothing but prose, else each under the other."""
    console = Console(markup=False, highlight=False, stderr=err)
    if not console.is_terminal:
        console.width = ENDLESS
    columns = list(zip(titles, *rows, strict=True))
    needed = [_narrowest(column) for column in columns]
    narrowest = sum(needed) + BETWEEN * (len(needed) - 1)
    if any(titles) and narrowest > console.width:
        for row in rows:
            _print_table(["", ""], list(zip(titles, row, strict=True)), err=err)
            console.print()
        return
    console.width = max(console.width, narrowest)
    table = Table(box=None, show_header=any(titles), pad_edge=False, padding=(0, BETWEEN, 0, 0))
    for title, width in zip(titles, needed, strict=True):
        table.add_column(title, overflow="fold", min_width=width)
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _narrowest(column: Sequence[str]) -> int:
    """Return the width that a column needs: prose is folded between its words, the rest never."""
    pieces = [
        piece for cell in column for piece in (cell.split(" ") if PROSE.search(cell) else [cell])
    ]
    return max(map(cell_len, pieces), default=0)
