"""`paquet mandate form`: the page that a debtor signs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.shared.changing import agreed, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import new_file_type
from provision.process.files import replace_file
from provision.subscriptions.parties import organisations, profiles
from provision.subscriptions.payments import mandate_papers, mandates

if TYPE_CHECKING:
    from pathlib import Path

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context


@click.command()
@click.argument("organisation")
@click.argument("reference")
@click.option("--to", "file", type=new_file_type, required=True, help="The PDF to write.")
@change_options
@pass_context
def form(context: Context, *, organisation: str, reference: str, file: Path, how: How) -> None:
    """Write the page that the debtor of the mandate REFERENCE signs."""
    with context.reading() as session:
        owner = organisations.get(session, organisation)
        row = mandates.find(session, owner, reference)
        page = mandate_papers.form(row, profiles.needed(session, owner, context.today))
    facts = {"file": str(file)}
    if agreed(context, facts, how, "Write it?"):
        replace_file(file, page)
        context.show(facts, as_json=how.as_json)
