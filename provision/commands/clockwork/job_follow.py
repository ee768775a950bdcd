"""`paquet job follow`: what a run tells, as it tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.shared import progress
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import json_option, number_type
from provision.jobs import reading
from provision.jobs.following import Follower

if TYPE_CHECKING:
    from provision.commands.shared.context import Context


@click.command()
@click.argument("number", type=number_type)
@json_option
@pass_context
def follow(context: Context, number: int, *, as_json: bool) -> None:
    """Tell what job NUMBER tells, until it is over.

    It goes on when this command is interrupted. Exit code 1 when it failed or was cancelled.
    """
    with progress.steps(quiet=as_json) as tell:
        Follower(context.control(tell), number).to_its_end()
    context.show(reading.story(context.control(), number), as_json=as_json)
