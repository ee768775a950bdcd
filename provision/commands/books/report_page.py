"""`paquet report page`: all figures as one page; only its charts take a second to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.books.report import about_options, gathered, language_of, write_file
from provision.commands.shared.changing import agreed, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import new_file_type
from provision.subscriptions.reports import page as drawn

if TYPE_CHECKING:
    from pathlib import Path

    from provision.commands.books.report import About
    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context


@click.command()
@about_options
@click.option("--to", "file", type=new_file_type, required=True, help="The page to write.")
@change_options
@pass_context
def page(context: Context, about: About, file: Path, how: How) -> None:
    """Write all of it as one page with charts, which needs no network."""
    html = drawn.page(gathered(context, about), language_of(context, about)).encode()
    facts = {"file": str(file), "bytes": len(html)}
    if agreed(context, facts, how, "Write it?"):
        write_file(file, html)
        context.show(facts, as_json=how.as_json)
