"""`paquet post send`: what is missing is written, what may leave does, what came back is noted."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from provision.commands.shared import progress
from provision.commands.shared.changing import agreed, change_options
from provision.commands.shared.context import PROBLEMS_FOUND, pass_context
from provision.errors import PaquetError, UsageRefused
from provision.jobs import post as post_runs
from provision.jobs import starting
from provision.post import outbox
from provision.registry import runs
from provision.workflows import posting, posting_gathering, posting_sender

if TYPE_CHECKING:
    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts

NOTHING = "No letter is to be sent."
TROUBLES = (outbox.HELD, outbox.BOUNCED)


@click.command()
@change_options
@pass_context
def send(context: Context, how: How) -> None:
    """Write the letters that are missing, and send all that may leave now.

    Invoices and credit notes, announced debits, receipts and welcomes since the day that [post]
    names; reminders and renewals were written when they were told. Then what came back is read.
    Exit code 5 when a letter was refused, came back, or is held.
    """
    if context.settings.post.since is None:
        raise UsageRefused(
            "Nobody said from which day on letters are sent",
            "Say so in the settings: [post] since; the file of `paquet init` names all of it.",
        )
    if how.dry_run or not how.yes:
        planned, count = _planned(context)
        if not planned and how.dry_run:
            context.show([], as_json=how.as_json, nothing=NOTHING)
            return
        if planned and not agreed(context, planned, how, f"Send {count} letters?"):
            return
    rows, failed = _round(context, quiet=how.as_json)
    context.show(rows, as_json=how.as_json, nothing=NOTHING)
    if failed is not None:
        raise failed
    if any(row["state"] in TROUBLES for row in rows):
        sys.exit(PROBLEMS_FOUND)


def _round(context: Context, *, quiet: bool) -> tuple[list[Facts], PaquetError | None]:
    """See a round to its end; return what became of letters, and what failed beside that."""
    failed = None
    with progress.steps(quiet=quiet) as tell:
        control = context.control(tell)
        run_id = starting.ask(control, post_runs.round_of(posting_sender.address(control)))
        starting.again(control, run_id)  # one that waits to be tried again is tried now
        try:
            starting.finish(control, run_id)
        except PaquetError as wrong:
            failed = wrong
    with context.reading() as session:
        steps = runs.get(session, run_id).steps
    said = "; ".join(step.message for step in steps if step.state == runs.FAILED)
    if failed is not None and said:
        failed = PaquetError(said, failed.hint)
    return [row for step in steps for row in step.facts or ()], failed


def _planned(context: Context) -> tuple[list[Facts], int]:
    """Return who would get what, and how many letters leave.

    First are letters that wait, then those that would be written first.
    """
    control = context.control()
    rows, count = posting.leaving(control)
    coming: list[Facts] = [
        {
            "letter": "",
            "written": "",
            "kind": letter.kind,
            "to": letter.to.name,
            "by": letter.to.email,
            "subject": letter.subject,
            "state": posting_gathering.TO_COME,
            "answer": "",
        }
        for letter in posting_gathering.coming(control)
        if not letter.is_on_paper
    ]
    return rows + coming, count + len(coming)
