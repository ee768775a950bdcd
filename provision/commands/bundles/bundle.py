"""`paquet bundle`: list and show; what changes bundles waits in files beside this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.shared.context import pass_context
from provision.commands.shared.imported import Imported, Waiting
from provision.commands.shared.words import json_option
from provision.workflows import bundles

if TYPE_CHECKING:
    from provision.commands.shared.context import Context

WAITING = {
    "show": Waiting("bundles.bundle_show", "Show the bundle of DOMAIN."),
    "check": Waiting(
        "bundles.bundle_changes",
        "Check the bundle of DOMAIN from outside; exit code 5 when something is wrong.",
    ),
    "deploy": Waiting(
        "bundles.bundle_changes",
        "Bring the bundle of DOMAIN, or every bundle of a server, to what this release says.",
    ),
    "suspend": Waiting(
        "bundles.bundle_changes",
        "Stop the logins of the bundle of DOMAIN. Mail is still received; nothing is deleted.",
    ),
    "resume": Waiting("bundles.bundle_changes", "Open a suspended bundle again."),
    "export": Waiting(
        "bundles.bundle_ends",
        "Write everything of the bundle of DOMAIN into the folder --to: its owner may leave "
        "with it.",
    ),
    "close": Waiting(
        "bundles.bundle_ends",
        "End the bundle of DOMAIN and its subscription; its owner may still take everything along.",
    ),
    "erase": Waiting(
        "bundles.bundle_ends",
        "Erase the closed bundle of DOMAIN for ever: files, mail, database, backups, secrets, "
        "names.",
    ),
}


@click.group(cls=Imported, waiting=WAITING)
def bundle() -> None:
    """Look after the cloud, mail, names and backup of one subscriber; DOMAIN says which."""


@bundle.command("list")
@json_option
@pass_context
def list_bundles(context: Context, *, as_json: bool) -> None:
    """List the bundles."""
    context.show(bundles.listing(context.control()), as_json=as_json)
