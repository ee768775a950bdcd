"""`paquet server`: list; what reaches servers waits in files beside this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.shared.context import pass_context
from provision.commands.shared.imported import Imported, Waiting
from provision.commands.shared.words import json_option
from provision.registry import fences
from provision.servers import inventory

if TYPE_CHECKING:
    from provision.commands.shared.context import Context

WAITING = {
    "prepare": Waiting(
        "machines.server_making",
        "Make HOST, a bare Debian 13 with your SSH key for root, a server of ours.",
    ),
    "deploy": Waiting(
        "machines.server_making", "Bring HOST to what this release and the settings say."
    ),
    "variables": Waiting(
        "machines.server_variables",
        "Print what site.yml is given for HOST: the variables file of a run by hand.",
    ),
    "check": Waiting(
        "machines.server_making",
        "Check HOST from outside and inside; exit code 5 when something is wrong.",
    ),
    "allow": Waiting(
        "machines.server_doors",
        "Let ADDRESS in at every door of HOST for some time, whatever is typed wrong there.",
    ),
    "bans": Waiting(
        "machines.server_doors",
        "List who is kept out of HOST: door, address, until when (UTC); and who is let in.",
    ),
}


@click.group(cls=Imported, waiting=WAITING)
def server() -> None:
    """Make servers of bare Debian machines, and keep them as they should be."""


@server.command("list")
@json_option
@pass_context
def list_servers(context: Context, *, as_json: bool) -> None:
    """List the servers of the inventory."""
    hosts = inventory.read(context.settings.inventory)
    with context.reading() as session:
        prepared = {name: fences.prepared_at(session, name) for name in hosts}
    rows = [
        {
            "name": host.name,
            "address": host.address,
            "server_name": host.server_name,
            "groups": ", ".join(sorted(host.groups - {"all"})),
            "prepared": prepared[host.name],
        }
        for host in hosts.values()
    ]
    context.show(rows, as_json=as_json)
