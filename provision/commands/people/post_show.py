"""`paquet post show`: one letter, and the message that a server is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.shared.changing import agreed, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import new_file_type, number_type
from provision.post import outbox
from provision.process.files import replace_file
from provision.workflows import posting_by_hand, posting_listing

if TYPE_CHECKING:
    from pathlib import Path

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context


@click.command()
@click.argument("number", type=number_type)
@click.option("--eml", "file", type=new_file_type, help="Write the whole message into this file.")
@change_options
@pass_context
def show(context: Context, number: int, file: Path | None, how: How) -> None:
    """Show letter NUMBER: its headers, its text, and what became of it."""
    if file is not None:
        content = posting_by_hand.as_message(context.control(), number)
        facts: dict[str, object] = {"file": str(file), "bytes": len(content)}
        if agreed(context, facts, how, "Write it?"):
            replace_file(file, content)
            context.show(facts, as_json=how.as_json)
        return
    with context.reading() as session:
        told = posting_listing.facts(outbox.get(session, number))
    context.show(told, as_json=how.as_json)
