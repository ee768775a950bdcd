"""`paquet dunning run`: the steps of a day, taken."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision.commands.payments.dunning import due_rows, policy_option
from provision.commands.shared import progress
from provision.commands.shared.changing import agreed, change_options
from provision.commands.shared.context import PROBLEMS_FOUND, pass_context
from provision.commands.shared.words import folder_type, on_option, typed
from provision.errors import UsageRefused
from provision.jobs import money as money_runs
from provision.jobs import starting
from provision.workflows import dunning
from provision.workflows.dunning import Campaign

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context

NOBODY = "Nobody is to be reminded."


@dataclass(frozen=True)
class RemindingRun:
    """Whose invoices are reminded, on which day, by which rules, with letters into a folder."""

    organisation: str
    folder: Path
    on: date | None
    file: Path | None


@click.command()
@click.argument("organisation")
@click.option("--to", "folder", type=folder_type, required=True, help="Where letters go.")
@on_option
@policy_option
@typed(RemindingRun, "wanted")
@change_options
@pass_context
def run(context: Context, wanted: RemindingRun, how: How) -> None:
    """Take the steps of a day: letters, suspensions, and bundles that were paid opened again.

    Exit code 5 when something could not be done; the same command tries it again. What was paid,
    paused or done while it asked is seen: it looks again after a yes.
    """
    rules, name = dunning.rules(wanted.file), wanted.organisation
    today = context.today
    day = wanted.on or today
    if day > today:
        raise UsageRefused(f"{day} is not yet", "Look at that day: paquet dunning due --on DAY")
    if how.dry_run or not how.yes:
        planned = due_rows(context, name, rules, day)
        if not planned:
            context.show([], as_json=how.as_json, nothing=NOBODY)
            return
        if not agreed(context, planned, how, "Take these steps?"):
            return
    with progress.steps(quiet=how.as_json) as tell:
        campaign = Campaign(name, rules, day, wanted.folder)
        asked = money_runs.reminders(campaign, wanted.file)
        rows = starting.see_through(context.control(tell), asked).fact
    context.show(rows, as_json=how.as_json, nothing=NOBODY)
    if any(row["refused"] for row in rows):
        sys.exit(PROBLEMS_FOUND)
