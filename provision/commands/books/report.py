"""`paquet report`: what becomes of the money, as tables, CSV files and one page; and a model."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision.commands.shared.context import json_option, pass_context, show
from provision.commands.shared.imported import Imported
from provision.commands.shared.words import day_type
from provision.errors import PaquetError, UsageRefused
from provision.formats.books import tabular
from provision.money import euros
from provision.process.files import replace_file
from provision.subscriptions.parties import organisations
from provision.subscriptions.reports import factsfile, modelfile
from provision.subscriptions.reports import rows as flat
from provision.subscriptions.reports.factsfile import FactsFile
from provision.subscriptions.reports.figures import figures
from provision.subscriptions.reports.gather_scope import Scope, month_over
from provision.subscriptions.reports.gathering import gather
from provision.subscriptions.reports.model import solve
from provision.subscriptions.reports.ratios import WHOLE
from provision.subscriptions.reports.wording import LANGUAGES, wording

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from provision.commands.shared.context import Context
    from provision.money import Amount
    from provision.subscriptions.reports.figures import Figures
    from provision.subscriptions.reports.gather_scope import Language
    from provision.subscriptions.reports.rows import Cell, Row
    from provision.subscriptions.reports.wording import Wording

CENTS, POINTS, SECONDS = "cents", "basis_points", "seconds"
file_type = click.Path(exists=True, dir_okay=False, path_type=Path)
folder_type = click.Path(file_okay=False, path_type=Path)
language_option = click.option(
    "--language", type=click.Choice(LANGUAGES), help="Else the operator's."
)


def scope_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say what a report is about."""
    options = (
        click.option("--until", type=day_type, help="The last day of its last month."),
        click.option(
            "--organisation", metavar="NAME", help="Only what this one sells or supports."
        ),
        click.option("--territory", metavar="NAME", help="Only what sellers of this one sell."),
        click.option("--facts", type=file_type, help="What the registry cannot know, as TOML."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group(cls=Imported, modules={"page": "books.report_page"})
def report() -> None:
    """Tell members what becomes of their money, over twelve months."""


@report.command(name="show")
@scope_options
@click.option("--section", metavar="NAME", help="Only this figure.")
@language_option
@json_option
@pass_context
def show_all(context: Context, /, *, as_json: bool, **words: object) -> None:
    """Show all figures as tables.

    What the registry cannot know is told by --facts: see templates/report.example.toml.
    """
    tables = flat.rows(gathered(context, words))
    if words["section"] is not None:
        tables = _section(tables, str(words["section"]))
    _show(tables, wording(language_of(context, words)), as_json=as_json)


@report.command()
@scope_options
@click.option("--to", "folder", type=folder_type, required=True, help="Where the files go.")
@language_option
@json_option
@pass_context
def csv(context: Context, /, *, as_json: bool, **words: object) -> None:
    """Write each figure as a CSV file for spreadsheets."""
    language = language_of(context, words)
    tables = flat.rows(gathered(context, words))
    folder = Path(str(words["folder"]))
    written = []
    for name, rows in tables.items():
        if rows:
            file = folder / f"{name}.csv"
            cells = [_euros(row) for row in rows]
            content = tabular.table(list(cells[0]), [list(one.values()) for one in cells], language)
            write_file(file, content)
            written.append({"file": str(file), "rows": len(rows)})
    show(written, as_json=as_json)


@report.command()
@click.argument("file", type=file_type)
@json_option
@pass_context
def model(context: Context, file: Path, *, as_json: bool) -> None:
    """Compute what the assumptions of FILE give a month.

    FILE is explained in templates/model.example.toml; the registry is not asked.
    """
    del context  # a model needs no registry
    _show(flat.model_rows(solve(modelfile.read(file))), wording("en"), as_json=as_json)


def gathered(context: Context, words: Mapping[str, Any]) -> Figures:
    """Gather the facts in one unit of work, which reads alone, and compute from them after it."""
    told = factsfile.read(words["facts"]) if words["facts"] else FactsFile()
    if told.title is None:
        told = told.model_copy(update={"title": context.settings.operator.name})
    until: datetime | None = words["until"]
    with context.reading() as session:
        name: str | None = words["organisation"]
        scope = Scope(
            until=until.date() if until else month_over(context.control().today()),
            organisation_id=organisations.get(session, name).id if name else None,
            territory=words["territory"],
            language=language_of(context, words),
        )
        facts = gather(session, scope, told)
    return figures(facts, told.hourly)


def language_of(context: Context, words: Mapping[str, Any]) -> Language:
    """Return the language that was asked for, or the operator's."""
    language: Language = words["language"] or context.settings.operator.language
    return language


def _section(tables: dict[str, list[Row]], wanted: str) -> dict[str, list[Row]]:
    if wanted not in tables:
        raise UsageRefused(
            f"There is no figure {wanted[:40]!r}", f"There are: {', '.join(sorted(tables))}."
        )
    return {wanted: tables[wanted]}


def _show(tables: Mapping[str, Sequence[Row]], words: Wording, *, as_json: bool) -> None:
    if as_json:
        show(tables, as_json=True)
        return
    for name, rows in tables.items():
        if rows:
            click.echo(f"\n{name}")
            shown = [_shown(row, words) for row in rows]
            show(shown[0] if len(shown) == 1 else shown, as_json=False)


def _shown(row: Row, words: Wording) -> dict[str, object]:
    """Return a row as people read it: its units are in the cells, not in the names."""
    shown: dict[str, object] = {}
    for column, cell in row.items():
        stem, unit = _parted(column)
        if unit == POINTS:
            part = Fraction(cell, WHOLE) if isinstance(cell, int) else None
            shown[stem or "share"] = words.percent(part)
        elif unit == CENTS and isinstance(cell, int):
            shown[stem or "amount"] = words.money(cell)
        elif unit == SECONDS and isinstance(cell, int):
            shown[stem or "time"] = words.hours(cell)
        else:
            shown[column] = cell
    return shown


def _euros(row: Row) -> dict[str, Cell | Amount]:
    """Return a row for spreadsheets: cents are amounts in euros there."""
    cells: dict[str, Cell | Amount] = {}
    for column, cell in row.items():
        stem, unit = _parted(column)
        if unit == CENTS and isinstance(cell, int):
            cells[f"{stem}_eur" if stem else "eur"] = euros(cell)
        else:
            cells[column] = cell
    return cells


def _parted(column: str) -> tuple[str, str]:
    """Return the name of a column before its unit, and the unit, empty where it has none."""
    for unit in (CENTS, POINTS, SECONDS):
        if column == unit or column.endswith(f"_{unit}"):
            return column.removesuffix(unit).removesuffix("_"), unit
    return column, ""


def write_file(file: Path, content: bytes) -> None:
    """Write a file and the folders on its way, or raise PaquetError."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(file, content)
    except OSError as wrong:
        raise PaquetError(f"{file} cannot be written: {wrong.strerror}") from None
