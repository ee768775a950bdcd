"""`paquet lab`: real Debian 13 machines on this computer, to rehearse before buying a server."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision import settings
from provision.commands.shared import progress
from provision.commands.shared.changing import agreed, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import json_option, typed
from provision.errors import PaquetError
from provision.lab import snapshots
from provision.lab.lab import Lab, require_host
from provision.lab.plan import MACHINES, SERVER_NAMES

if TYPE_CHECKING:
    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts

FOR_ALL_OF_A_MACHINE = 0o022  # its daemons read what root made there
name_option = click.option("--name", metavar="LAB", help="Which lab; the settings name the usual.")


def chosen(context: Context, name: str | None) -> Lab:
    """Return the lab that the settings describe, under another name when one is given."""
    if os.geteuid() != 0:
        raise PaquetError("The lab makes machines, so it needs root", "Use sudo.")
    os.umask(FOR_ALL_OF_A_MACHINE)
    if context.config.exists():
        known = context.settings
        usual, packages, cache = known.lab, known.packages, known.cache
    else:
        usual, packages, cache = settings.LabSettings(), settings.Packages(), default_cache()
    return Lab(
        name or usual.name,
        cache / "lab",
        str(usual.mirror).rstrip("/"),
        str(packages.security_mirror).rstrip("/"),
    )


def default_cache() -> Path:
    """Return where things are cached when no settings say so: a lab needs no settings."""
    field = settings.Settings.model_fields["cache"]
    return Path(field.get_default(call_default_factory=True, validated_data={}))


@click.group()
def lab() -> None:
    """Run real Debian 13 machines on this computer (needs root)."""


@lab.command()
@name_option
@click.option("--from", "snapshot", metavar="TITLE", default="", help="Begin as this snapshot.")
@change_options
@pass_context
def up(context: Context, name: str | None, snapshot: str, how: How) -> None:
    """Bring the lab up; what an earlier run left is mended."""
    which = chosen(context, name)
    require_host()
    if snapshot:
        snapshots.find(which.cache, snapshot)
    planned = {
        "lab": which.name,
        "folder": str(which.folder),
        "begins": f"as the snapshot {snapshot}" if snapshot else "with bare machines, if it is new",
        "machines": _machines(which),
    }
    if agreed(context, planned, how, "Bring it up?"):
        with progress.steps() as tell:
            which.up(snapshot=snapshot, tell=tell)
            tell("up")
        _show_status(context, which, as_json=how.as_json)


@lab.command()
@name_option
@json_option
@pass_context
def status(context: Context, name: str | None, *, as_json: bool) -> None:
    """Show what runs, and where to reach it."""
    _show_status(context, chosen(context, name), as_json=as_json)


@lab.command()
@click.argument("machine")
@name_option
@pass_context
def shell(context: Context, machine: str, name: str | None) -> None:
    """Open a shell as root in MACHINE."""
    command = chosen(context, name).machine(machine).ssh()
    os.execvp(command[0], command)  # noqa: S606 (this process becomes the shell)


@dataclass(frozen=True)
class Titled:
    """A snapshot, as it is typed: without a title all are meant."""

    title: str | None
    remove: bool


@lab.command()
@click.argument("title", required=False)
@name_option
@click.option("--remove", is_flag=True, help="Remove the snapshot TITLE instead.")
@typed(Titled, "titled")
@change_options
@pass_context
def snapshot(context: Context, name: str | None, titled: Titled, how: How) -> None:
    """Keep all machines as TITLE, to begin with later; without TITLE, list what is kept."""
    which, title = chosen(context, name), titled.title
    if title is None:
        kept = [snapshots.find(which.cache, known) for known in snapshots.titles(which.cache)]
        rows = [
            {"snapshot": snapshot.title, "network": f"198.18.{snapshot.subnet}.0/24"}
            for snapshot in kept
        ]
        context.show(rows, as_json=how.as_json)
        return
    snapshots.refuse_use(which.cache, title)
    there = title in snapshots.titles(which.cache)
    if titled.remove:
        if agreed(context, {"snapshot": title, "removed": there}, how, "Remove it?"):
            snapshots.remove(which.cache, title)
        return
    taken = {
        "snapshot": title,
        "replaces": "an older one" if there else "",
        "lab": which.name,
        "network": which.plan.network,
        "stopped_and_started_again": list(MACHINES),
    }
    if agreed(context, taken, how, "Keep them?"):
        which.snapshot(title)
        context.show(taken, as_json=how.as_json)


@lab.command()
@name_option
@change_options
@pass_context
def down(context: Context, name: str | None, how: How) -> None:
    """Take the lab down; nothing of it remains, images stay in the cache."""
    which = chosen(context, name)
    if agreed(context, lost(which), how, "Take it down?"):
        which.down()
        context.show({"lab": which.name, "there": which.exists()}, as_json=how.as_json)


def lost(which: Lab) -> Facts:
    """Return what taking a lab down takes away."""
    return {
        "lab": which.name,
        "there": which.exists(),
        "removed": f"{which.folder} with all disks" if which.exists() else "nothing",
        "machines": _machines(which),
    }


def _machines(which: Lab) -> list[Facts]:
    return [
        {"machine": name, "name": SERVER_NAMES[name], "runs": runs, "address": which.address(name)}
        for name, runs in which.status().items()
        if name in SERVER_NAMES
    ]


def _show_status(context: Context, which: Lab, *, as_json: bool) -> None:
    if as_json and which.is_known():
        context.show({**which.facts(), "runs": which.status()}, as_json=True)
    else:
        context.show(_machines(which), as_json=as_json)
