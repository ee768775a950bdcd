"""`paquet job`: what runs, how far it is, what it told; cancel and retry are in `job_changes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.shared.context import pass_context
from provision.commands.shared.imported import Imported, Waiting
from provision.commands.shared.words import json_option, number_type
from provision.jobs import reading

if TYPE_CHECKING:
    from provision.commands.shared.context import Context

CHANGES = "clockwork.job_changes"
WAITING = {
    "follow": Waiting("clockwork.job_follow", "Tell what job NUMBER tells, until it is over."),
    "cancel": Waiting(
        CHANGES, "End job NUMBER: at once where it waits, else after the step that it is in."
    ),
    "retry": Waiting(CHANGES, "Go on with job NUMBER where it stopped, and see it to its end."),
}


@click.group(cls=Imported, waiting=WAITING)
def job() -> None:
    """See the long actions: what waits, what runs, what failed and can go on."""


@job.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that are over, too.")
@json_option
@pass_context
def list_jobs(context: Context, *, everything: bool, as_json: bool) -> None:
    """List the jobs that are not over or failed, the newest first."""
    states = reading.EVERY if everything else reading.NOT_OVER
    context.show(reading.listing(context.control(), states), as_json=as_json)


@job.command("show")
@click.argument("number", type=number_type)
@json_option
@pass_context
def show_job(context: Context, number: int, *, as_json: bool) -> None:
    """Tell the story of job NUMBER: its steps, and what it told."""
    context.show(reading.story(context.control(), number), as_json=as_json)
