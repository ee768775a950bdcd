"""`paquet backup`: run, list, restore."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.shared import progress
from provision.commands.shared.changing import agreed, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import folder_type, json_option
from provision.jobs import bundles as bundle_runs
from provision.jobs import starting
from provision.workflows import bundles, safekeeping

if TYPE_CHECKING:
    from pathlib import Path

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context


@click.group()
def backup() -> None:
    """Back bundles up on another machine, each with its own key; look, restore."""


@backup.command()
@click.argument("domain")
@change_options
@pass_context
def run(context: Context, domain: str, how: How) -> None:
    """Back the bundle of DOMAIN up now: database, files and mail in one snapshot."""
    bundle = bundles.find(context.control(), domain)
    planned = {
        "domain": bundle.domain,
        "bundle": bundle.name,
        "from": bundle.server,
        "to": bundle.backup_server,
        "adds": "one snapshot",
    }
    if agreed(context, planned, how, "Back it up?"):
        with progress.steps(quiet=how.as_json) as tell:
            done = starting.see_through(
                context.control(tell), bundle_runs.of_one("back up", bundle)
            )
        context.show(done.fact, as_json=how.as_json)


@backup.command("list")
@click.argument("domain")
@json_option
@pass_context
def list_snapshots(context: Context, domain: str, *, as_json: bool) -> None:
    """List the snapshots of the bundle of DOMAIN, the oldest first."""
    rows = safekeeping.snapshots(context.control(), domain)
    context.show(rows, as_json=as_json)


@backup.command()
@click.argument("domain")
@click.option("--to", "folder", type=folder_type, required=True)
@click.option("--snapshot", default="latest", show_default=True)
@change_options
@pass_context
def restore(context: Context, domain: str, folder: Path, snapshot: str, how: How) -> None:
    """Restore a snapshot of the bundle of DOMAIN into the folder --to on this machine.

    The folder must be empty: nothing is ever written over.
    """
    control = context.control()
    bundle = safekeeping.look(control, domain, folder)
    chosen = safekeeping.snapshot(control, domain, snapshot)
    planned = {
        "domain": bundle.domain,
        "bundle": bundle.name,
        "from": bundle.backup_server,
        **chosen.as_row(),
        "folder": str(folder),
    }
    if agreed(context, planned, how, "Restore it?"):
        restored = safekeeping.restore(control, domain, folder, chosen.id)
        context.show({"folder": str(restored), "snapshot": chosen.id}, as_json=how.as_json)
