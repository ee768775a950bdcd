"""`paquet lab`: real Debian 13 machines on this computer, to rehearse before buying a server."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision import settings
from provision.commands.shared.context import json_option, pass_context, show
from provision.errors import PaquetError
from provision.lab import snapshots
from provision.lab.lab import Lab
from provision.lab.plan import SERVER_NAMES

if TYPE_CHECKING:
    from provision.commands.shared.context import Context

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
        usual, packages, cache = settings.Lab(), settings.Packages(), default_cache()
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
@json_option
@pass_context
def up(context: Context, name: str | None, snapshot: str, *, as_json: bool) -> None:
    """Bring the lab up; what an earlier run left is mended."""
    began = time.monotonic()

    def tell(step: str) -> None:
        click.echo(f"{time.monotonic() - began:6.1f} s  {step}", err=True)

    chosen(context, name).up(snapshot=snapshot, tell=tell)
    tell("up")
    _show_status(chosen(context, name), as_json=as_json)


@lab.command()
@name_option
@json_option
@pass_context
def status(context: Context, name: str | None, *, as_json: bool) -> None:
    """Show what runs, and where to reach it."""
    _show_status(chosen(context, name), as_json=as_json)


@lab.command()
@click.argument("machine")
@name_option
@pass_context
def shell(context: Context, machine: str, name: str | None) -> None:
    """Open a shell as root in MACHINE."""
    command = chosen(context, name).machine(machine).ssh()
    os.execvp(command[0], command)  # noqa: S606 (this process becomes the shell)


@lab.command()
@click.argument("title", required=False)
@name_option
@click.option("--remove", is_flag=True, help="Remove the snapshot TITLE instead.")
@json_option
@pass_context
def snapshot(
    context: Context, title: str | None, name: str | None, *, remove: bool, as_json: bool
) -> None:
    """Keep all machines as TITLE, to begin with later; without TITLE, list what is kept."""
    which = chosen(context, name)
    if title and remove:
        snapshots.remove(which.cache, title)
    elif title:
        which.snapshot(title)
    else:
        kept = [snapshots.find(which.cache, known) for known in snapshots.titles(which.cache)]
        rows = [{"snapshot": one.title, "network": f"198.18.{one.subnet}.0/24"} for one in kept]
        show(rows, as_json=as_json)


@lab.command()
@name_option
@pass_context
def down(context: Context, name: str | None) -> None:
    """Take the lab down; nothing of it remains, images stay in the cache."""
    chosen(context, name).down()


def _show_status(which: Lab, *, as_json: bool) -> None:
    if as_json and which.is_known():
        show({**which.facts(), "runs": which.status()}, as_json=True)
        return
    rows = [
        {"machine": name, "name": SERVER_NAMES[name], "runs": runs, "address": which.address(name)}
        for name, runs in which.status().items()
        if name in SERVER_NAMES
    ]
    show(rows, as_json=as_json)
