"""`paquet job cancel|retry`: a run ended, or taken up again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.shared import progress
from provision.commands.shared.changing import agreed, change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import number_type, why_option
from provision.jobs import owners, reading, starting

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts


@click.command()
@click.argument("number", type=number_type)
@why_option
@change_options
@pass_context
def cancel(context: Context, number: int, why: str, how: How) -> None:
    """End job NUMBER: at once where it waits, else after the step that it is in.

    What its steps did stays as it is; `paquet job retry` goes on with it. An order that waits is
    cancelled itself: `paquet order cancel`.
    """
    control = context.control()

    def work(session: Session) -> Facts:
        run = starting.cancel(session, control, number, why)
        return {**reading.row(run), "ends": "after its step" if run.ends_asked else "now"}

    owners.release_dead(control)
    change(context, work, how)


@click.command()
@click.argument("number", type=number_type)
@change_options
@pass_context
def retry(context: Context, number: int, how: How) -> None:
    """Go on with job NUMBER where it stopped, and see it to its end."""
    planned = reading.story(context.control(), number)
    if agreed(context, planned, how, "Go on?"):
        with progress.steps(quiet=how.as_json) as tell:
            control = context.control(tell)
            starting.again(control, number)
            starting.finish(control, number)
        context.show(reading.story(context.control(), number), as_json=how.as_json)
