"""`paquet schedule run|pause|resume`: asked for now, or not any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.shared import progress
from provision.commands.shared.changing import agreed, change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import why_option
from provision.jobs import polling, reading, schedule
from provision.jobs.worker import Worker

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts


@click.command()
@click.argument("name", required=False)
@change_options
@pass_context
def run(context: Context, name: str | None, how: How) -> None:
    """Ask for what comes by itself now: NAME, or all that is due; and carry it out.

    What waits already, and what a dead process left, is carried out with it: called by a timer
    every few minutes, this is all that one machine needs. With workers, they carry it out.
    """
    control = context.control()
    planned = schedule.preview(control, name)
    waiting = reading.listing(control, reading.WAITS)
    facts: Facts = {"comes": planned, "waits": waiting}
    if not planned and not waiting and (how.dry_run or not how.yes):
        context.show([], as_json=how.as_json, nothing="Nothing is due.")
        return
    if not agreed(context, facts, how, "Carry it out?"):
        return
    asked = schedule.begin(control, name) if name else schedule.begin_due(control)
    with progress.steps(quiet=how.as_json) as tell:
        if context.settings.runs.carried_out_by == "command":
            polling.work_off(Worker(context.control(tell), context.config))
    context.show(reading.of_numbers(context.control(), asked), as_json=how.as_json)


@click.command()
@click.argument("name")
@why_option
@change_options
@pass_context
def pause(context: Context, name: str, why: str, how: How) -> None:
    """Let NAME not come any more."""
    _set(context, name, why, how)


@click.command()
@click.argument("name")
@change_options
@pass_context
def resume(context: Context, name: str, how: How) -> None:
    """Let NAME come again."""
    _set(context, name, "", how)


def _set(context: Context, name: str, why: str, how: How) -> None:
    control = context.control()

    def work(session: Session) -> Facts:
        schedule.pause(session, control, name, why)
        return {"name": name, "comes": "not any more" if why else "again", "why": why}

    change(context, work, how)
