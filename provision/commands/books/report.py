"""`paquet report`: what becomes of the money, as tables, CSV files and one page; and a model."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import click

from provision.commands.shared import tables as shown_tables
from provision.commands.shared.changing import agreed, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.imported import Imported, Waiting
from provision.commands.shared.words import (
    day_type,
    file_type,
    folder_type,
    json_option,
    language_type,
    name_type,
    typed,
)
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
from provision.subscriptions.reports.wording import wording

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.commands.shared.words import Command
    from provision.languages import Language
    from provision.money import Amount
    from provision.subscriptions.reports.figures import Figures
    from provision.subscriptions.reports.rows import Cell, Row
    from provision.subscriptions.reports.wording import Wording

CENTS, POINTS, SECONDS = "cents", "basis_points", "seconds"
PAGE = "Write all of it as one page with charts, which needs no network."
OPTIONS = (
    click.option("--until", type=day_type, help="The last day of its last month."),
    click.option(
        "--organisation",
        type=name_type,
        help="Only what this one sells or supports.",
    ),
    click.option("--territory", type=name_type, help="Only what sellers of this one sell."),
    click.option("--facts", type=file_type, help="What the registry cannot know, as TOML."),
    click.option("--language", type=language_type, help="Else the operator's."),
)


@dataclass(frozen=True)
class About:
    """What a report is about, who sold it where, what is told beside it, in which language."""

    until: date | None
    organisation: str | None
    territory: str | None
    facts: Path | None
    language: Language | None


def about_options(command: Command) -> Command:
    """Add the options that say what a report is about; the command gets them as `about`."""
    command = typed(About, "about")(command)
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@click.group(cls=Imported, waiting={"page": Waiting("books.report_page", PAGE)})
def report() -> None:
    """Tell members what becomes of their money, over twelve months."""


@report.command(name="show")
@about_options
@click.option("--section", metavar="NAME", help="Only this figure.")
@json_option
@pass_context
def show_all(context: Context, about: About, section: str | None, *, as_json: bool) -> None:
    """Show all figures as tables.

    What the registry cannot know is told by --facts: see templates/report.example.toml.
    """
    tables = flat.rows(gathered(context, about))
    if section is not None:
        tables = _section(tables, section)
    _show(tables, wording(language_of(context, about)), as_json=as_json)


@report.command()
@about_options
@click.option("--to", "folder", type=folder_type, required=True, help="Where the files go.")
@change_options
@pass_context
def csv(context: Context, about: About, folder: Path, how: How) -> None:
    """Write each figure as a CSV file for spreadsheets."""
    language = language_of(context, about)
    tables = {name: rows for name, rows in flat.rows(gathered(context, about)).items() if rows}
    planned: list[Facts] = [
        {"file": str(folder / f"{name}.csv"), "rows": len(rows)} for name, rows in tables.items()
    ]
    if not agreed(context, planned, how, "Write them?"):
        return
    for name, rows in tables.items():
        cells = [_euros(row) for row in rows]
        content = tabular.table(list(cells[0]), [list(row.values()) for row in cells], language)
        write_file(folder / f"{name}.csv", content)
    context.show(planned, as_json=how.as_json)


@report.command()
@click.argument("file", type=file_type)
@json_option
def model(file: Path, *, as_json: bool) -> None:
    """Compute what the assumptions of FILE give a month.

    FILE is explained in templates/model.example.toml; the registry is not asked.
    """
    _show(flat.model_rows(solve(modelfile.read(file))), wording("en"), as_json=as_json)


def gathered(context: Context, about: About) -> Figures:
    """Gather the facts in one unit of work, which reads alone, and compute from them after it."""
    told = factsfile.read(about.facts) if about.facts else FactsFile()
    if told.title is None:
        told = told.model_copy(update={"title": context.settings.operator.name})
    with context.reading() as session:
        name = about.organisation
        scope = Scope(
            until=about.until or month_over(context.today),
            organisation_id=organisations.get(session, name).id if name else None,
            territory=about.territory,
            language=language_of(context, about),
        )
        facts = gather(session, scope, told)
    return figures(facts, told.hourly)


def language_of(context: Context, about: About) -> Language:
    """Return the language that was asked for, or the operator's."""
    return about.language or context.settings.operator.language


def _section(tables: dict[str, list[Row]], wanted: str) -> dict[str, list[Row]]:
    if wanted not in tables:
        raise UsageRefused(
            f"There is no figure {wanted[:40]!r}", f"There are: {', '.join(sorted(tables))}."
        )
    return {wanted: tables[wanted]}


def _show(tables: Mapping[str, Sequence[Row]], words: Wording, *, as_json: bool) -> None:
    if as_json:
        shown_tables.show(tables, words.language, as_json=True)
        return
    for name, rows in tables.items():
        if rows:
            click.echo(f"\n{name}")
            shown = [_shown(row, words) for row in rows]
            table = shown[0] if len(shown) == 1 else shown
            shown_tables.show(table, words.language, as_json=False)


def _shown(row: Row, words: Wording) -> Facts:
    """Return a row as people read it: its units are in the cells, not in the names."""
    shown: Facts = {}
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
