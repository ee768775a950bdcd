"""`paquet privacy register`: what is done with data of persons, as the law wants it written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.shared.changing import agreed, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import new_file_type
from provision.process.files import replace_file
from provision.subscriptions.privacy import register

if TYPE_CHECKING:
    from pathlib import Path

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context


@click.command(name="register")
@click.option("--write", "file", type=new_file_type, required=True)
@change_options
@pass_context
def write_register(context: Context, file: Path, how: How) -> None:
    """Write the register of processing (RGPD article 30), in French, as --write FILE.

    FILE ends with .pdf, .html or .txt. Read it and complete what is left open: it is yours.
    """
    with context.reading() as session:
        book = register.book(session, context.settings.operator, context.today)
    written = register.document(book, file.suffix)
    facts = {"file": str(file), "organisations": len(book.controllers)}
    if agreed(context, facts, how, "Write it?"):
        replace_file(file, written)
        context.show(facts, as_json=how.as_json)
