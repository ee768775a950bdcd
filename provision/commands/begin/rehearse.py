"""`paquet rehearse`: the whole story on lab machines."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision.commands.begin.lab import chosen, lost
from provision.commands.shared import progress
from provision.commands.shared.changing import agreed, change_options
from provision.commands.shared.context import PROBLEMS_FOUND, pass_context
from provision.commands.shared.words import folder_type, typed
from provision.jobs import starting
from provision.workflows import rehearsal

if TYPE_CHECKING:
    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.workflows.rehearsal import RehearsalReport

FOLDER = Path("var/rehearsal")


@dataclass(frozen=True)
class Rehearsing:
    """Where it is rehearsed, and whether only what is left of it is taken away."""

    folder: Path
    name: str
    clean: bool


@click.command()
@click.option("--folder", type=folder_type, default=FOLDER, show_default=True)
@click.option("--name", default="rehearse", show_default=True, help="The name of the lab.")
@click.option("--clean", is_flag=True, help="Only take down what a rehearsal left.")
@typed(Rehearsing, "wanted")
@change_options
@pass_context
def rehearse(context: Context, wanted: Rehearsing, how: How) -> None:
    """Order a bundle on lab machines, from nothing to the phone kit. Needs root.

    The lab stays up to be looked at; `paquet rehearse --clean` takes it down.
    """
    lab, folder = chosen(context, wanted.name), wanted.folder
    there = folder.exists()
    planned = {
        **lost(lab),
        "folder": f"{folder}, removed with all in it" if there else f"{folder}, which is not there",
        "then": "nothing" if wanted.clean else "a new lab, two servers, an order, three months",
    }
    if not agreed(context, planned, how, "Clean it up?" if wanted.clean else "Rehearse?"):
        return
    if wanted.clean:
        rehearsal.clean(lab, folder)
        context.show({"lab": lab.name, "there": lab.exists()}, as_json=how.as_json)
        return
    with progress.steps(quiet=how.as_json) as tell:
        report = rehearsal.rehearse(lab, folder, tell, starting.deliver)
    if how.as_json:
        context.show(vars(report), as_json=True)
    else:
        _print(context, report, wanted)
    if any(check["result"] == "error" for check in report.checks):
        sys.exit(PROBLEMS_FOUND)


def _print(context: Context, report: RehearsalReport, wanted: Rehearsing) -> None:
    folder, name = wanted.folder, wanted.name
    click.echo("\nSteps")
    context.show([{"step": step["name"], "seconds": step["seconds"]} for step in report.steps])
    click.echo("\nThree months of money")
    context.show(report.money)
    click.echo("\nChecks from outside")
    context.show([{"check": check["name"], "result": check["result"]} for check in report.checks])
    config = f"--config {folder / 'paquet.toml'}"
    click.echo(
        f"\nDelivered in {report.total_seconds:.0f} s: a {report.cloud} bundle "
        f"({report.why_this_cloud}).\n"
        f"  Kit            {report.kit}/kit.html, kit.pdf\n"
        f"  First login    {report.address}, with the secret that the kit shows\n"
        f"  Web            {report.web}\n"
        f"  The story      paquet {config} order show {report.order}\n"
        f"  Check again    paquet {config} bundle check {report.address.partition('@')[2]}\n"
        f"  A shell        paquet lab shell bundles1 --name {name}\n"
        f"  Money          {folder / 'money'}: invoices, debits, statements, books, report.html\n"
        f"  Addresses      paquet lab status --name {name}\n"
        f"  All of it      {folder / 'report.json'}\n"
        f"The lab stays up; `make clean` takes it down."
    )
