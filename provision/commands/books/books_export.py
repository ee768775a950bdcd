"""`paquet books export`: a year's books in files, for others to read."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from provision.commands.shared.changing import agreed, change_options
from provision.commands.shared.context import PROBLEMS_FOUND, pass_context
from provision.commands.shared.words import day_type, folder_type, typed
from provision.process.files import write_private
from provision.subscriptions.books import exporting
from provision.subscriptions.parties import organisations

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts


@dataclass(frozen=True)
class Exported:
    """Whose books of which days go into a folder, in which format."""

    name: str
    kind: str
    first_day: date
    last_day: date
    folder: Path


@click.command()
@click.argument("name")
@click.option("--format", "kind", type=click.Choice(exporting.FORMATS), required=True)
@click.option("--from", "first_day", type=day_type, required=True, help="First day of the year.")
@click.option("--until", "last_day", type=day_type, required=True, help="Last day of the year.")
@click.option("--to", "folder", type=folder_type, required=True, help="Where the files go.")
@typed(Exported, "wanted")
@change_options
@pass_context
def export(context: Context, wanted: Exported, how: How) -> None:
    """Write the books of NAME for an accountant, the tax office (fec) or another program.

    A FEC is read again by our own checker before it is written; exit 5 when it finds something.
    """
    period = exporting.Period(wanted.first_day, wanted.last_day)
    with context.reading() as session:
        owner = organisations.get(session, wanted.name)
        language = context.settings.operator.language
        files = exporting.export(session, owner, period, wanted.kind, language)
    mistakes = exporting.problems(files, period) if wanted.kind == "fec" else []
    if mistakes:
        context.show([asdict(mistake) for mistake in mistakes], as_json=how.as_json)
        sys.exit(PROBLEMS_FOUND)
    planned: list[Facts] = [{"file": str(wanted.folder / name)} for name in files]
    if agreed(context, planned, how, "Write them?"):
        written = write_private(wanted.folder, files)
        context.show([{"file": str(path)} for path in written], as_json=how.as_json)
