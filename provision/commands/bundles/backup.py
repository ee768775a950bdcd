"""`paquet backup`: run, list, restore."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision.commands.shared import progress
from provision.commands.shared.context import json_option, pass_context, show
from provision.workflows import safekeeping

if TYPE_CHECKING:
    from provision.commands.shared.context import Context


@click.group()
def backup() -> None:
    """Back bundles up on another machine, each with its own key; look, restore."""


@backup.command()
@click.argument("domain")
@json_option
@pass_context
def run(context: Context, /, domain: str, *, as_json: bool) -> None:
    """Back the bundle of DOMAIN up now: database, files and mail in one snapshot."""
    with progress.steps(quiet=as_json) as tell:
        snapshot = safekeeping.run(context.control(tell), domain)
    show({"snapshot": snapshot}, as_json=as_json)


@backup.command("list")
@click.argument("domain")
@json_option
@pass_context
def list_snapshots(context: Context, /, domain: str, *, as_json: bool) -> None:
    """List the snapshots of the bundle of DOMAIN, the oldest first."""
    show(safekeeping.snapshots(context.control(), domain), as_json=as_json)


@backup.command()
@click.argument("domain")
@click.option("--to", "folder", type=click.Path(path_type=Path), required=True)
@click.option("--snapshot", default="latest", show_default=True)
@json_option
@pass_context
def restore(context: Context, /, domain: str, folder: Path, **words: str | bool) -> None:
    """Restore a snapshot of the bundle of DOMAIN into the folder --to on this machine.

    The folder must be empty: nothing is ever written over.
    """
    restored = safekeeping.restore(context.control(), domain, folder, str(words["snapshot"]))
    show({"folder": str(restored)}, as_json=bool(words["as_json"]))
