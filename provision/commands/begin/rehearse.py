"""`paquet rehearse`: the whole story on lab machines."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision.commands.begin.lab import chosen
from provision.commands.shared import progress
from provision.commands.shared.context import PROBLEMS_FOUND, json_option, pass_context, show
from provision.workflows import rehearsal

if TYPE_CHECKING:
    from provision.commands.shared.context import Context
    from provision.workflows.rehearsal import Report

FOLDER = Path("var/rehearsal")


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), default=FOLDER, show_default=True)
@click.option("--name", default="rehearse", show_default=True, help="The name of the lab.")
@click.option("--clean", is_flag=True, help="Only take down what a rehearsal left.")
@json_option
@pass_context
def rehearse(context: Context, /, folder: Path, name: str, *, clean: bool, as_json: bool) -> None:
    """Order a bundle on lab machines, from nothing to the phone kit. Needs root.

    The lab stays up to be looked at; `paquet rehearse --clean` takes it down.
    """
    lab = chosen(context, name)
    if clean:
        rehearsal.clean(lab, folder)
        return
    with progress.steps(quiet=as_json) as tell:
        report = rehearsal.rehearse(lab, folder, tell)
    if as_json:
        click.echo(json.dumps(vars(report), ensure_ascii=False, indent=2))
    else:
        _print(report, folder, name)
    if any(check["result"] == "error" for check in report.checks):
        sys.exit(PROBLEMS_FOUND)


def _print(report: Report, folder: Path, name: str) -> None:
    click.echo("\nSteps")
    show(
        [{"step": step["name"], "seconds": step["seconds"]} for step in report.steps], as_json=False
    )
    click.echo("\nThree months of money")
    show(report.money, as_json=False)
    click.echo("\nChecks from outside")
    show(
        [{"check": check["name"], "result": check["result"]} for check in report.checks],
        as_json=False,
    )
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
