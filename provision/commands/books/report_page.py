"""`paquet report page`: all figures as one page; only its charts take a second to import."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision.commands.books.report import (
    gathered,
    language_of,
    language_option,
    scope_options,
    write_file,
)
from provision.commands.shared.context import json_option, pass_context, show
from provision.subscriptions.reports import page as drawn

if TYPE_CHECKING:
    from provision.commands.shared.context import Context


@click.command()
@scope_options
@click.option("--to", "file", type=click.Path(dir_okay=False, path_type=Path), required=True)
@language_option
@json_option
@pass_context
def page(context: Context, /, *, as_json: bool, **words: object) -> None:
    """Write all of it as one page with charts, which needs no network."""
    found, file = gathered(context, words), Path(str(words["file"]))
    html = drawn.page(found, language_of(context, words))
    write_file(file, html.encode())
    show({"file": str(file), "bytes": len(html.encode())}, as_json=as_json)
