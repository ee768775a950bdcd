"""`paquet post letterbox`: letters on paper, in one file to print."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.shared.asking import ask
from provision.commands.shared.changing import agreed, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import folder_type
from provision.workflows import posting_gathering, posting_paper

if TYPE_CHECKING:
    from pathlib import Path

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.workflows.control import Control
    from provision.workflows.posting_paper import Laid

NOTHING = "No letter is to be printed."


@click.command()
@click.option("--to", "folder", type=folder_type, required=True, help="Where the file goes.")
@click.option("--duplex", is_flag=True, help="For both sides: each letter begins on a new sheet.")
@change_options
@pass_context
def letterbox(context: Context, *, folder: Path, duplex: bool, how: How) -> None:
    """Write one PDF of all letters on paper, ready for the letterbox.

    They are those to people without e-mail, or whose address does not exist any more: by postcode,
    the address in the window of a DL envelope, invoices behind their letters. Letters that are
    missing are written first. Once the file is written you are asked whether it was printed; with
    --yes it counts as printed.
    """
    control = context.control()
    if how.dry_run or not how.yes:
        laid, coming = posting_paper.waiting(control), _coming(control)
        count = len(laid.letters) + len(coming)
        planned = _rows(laid) + coming
        if not (count or any(stale.is_over for stale in laid.left_out)):
            context.show(planned, as_json=how.as_json, nothing=NOTHING)
            return
        question = f"Write {count} letters?" if count else "Cancel what is over?"
        if not agreed(context, planned, how, question):
            return
    posting_gathering.gather(control)
    laid = posting_paper.waiting(control)
    if not laid.letters:
        posting_paper.printed(control, laid)  # what is not meant any more is over
        context.show(_rows(laid), as_json=how.as_json, nothing=NOTHING)
        return
    path, sheets = posting_paper.write(control, laid, folder, duplex=duplex)
    if not how.yes:
        click.echo(str(path), err=True)
        ask("Was it printed?")
    posting_paper.printed(control, laid)
    places = [
        {"letter": number, "page": page, "pages": pages} for number, page, pages in sheets.places
    ]
    context.show({"file": str(path), "letters": places}, as_json=how.as_json)


def _coming(control: Control) -> list[Facts]:
    """Return the letters on paper that would be written first."""
    return [
        {
            "letter": "",
            "to": letter.to.name,
            "postcode": letter.to.postcode,
            "subject": letter.subject,
            "left_out": posting_gathering.TO_COME,
        }
        for letter in posting_gathering.coming(control)
        if letter.is_on_paper and letter.to.address
    ]


def _rows(laid: Laid) -> list[Facts]:
    printed: list[Facts] = [
        {
            "letter": paper.letter.id,
            "to": paper.letter.to_name,
            "postcode": paper.letter.postcode,
            "subject": paper.letter.subject,
            "left_out": "",
        }
        for paper in laid.letters
    ]
    return printed + [
        {
            "letter": stale.letter.id,
            "to": stale.letter.to_name,
            "postcode": stale.letter.postcode,
            "subject": stale.letter.subject,
            "left_out": stale.why,
        }
        for stale in laid.left_out
    ]
