"""`paquet schedule`: what comes by itself, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.shared.context import pass_context
from provision.commands.shared.imported import Imported, Waiting
from provision.commands.shared.words import json_option
from provision.jobs import schedule as times

if TYPE_CHECKING:
    from provision.commands.shared.context import Context

CHANGES = "clockwork.schedule_changes"
WAITING = {
    "run": Waiting(
        CHANGES, "Ask for what comes by itself now: NAME, or all that is due; and carry it out."
    ),
    "pause": Waiting(CHANGES, "Let NAME not come any more."),
    "resume": Waiting(CHANGES, "Let NAME come again."),
}


@click.group(cls=Imported, waiting=WAITING)
def schedule() -> None:
    """See what comes by itself, such as billing and checks, and when."""


@schedule.command("list")
@json_option
@pass_context
def list_entries(context: Context, *, as_json: bool) -> None:
    """List what comes by itself: its times, and when it came last and comes next."""
    context.show(times.listing(context.control()), as_json=as_json)
