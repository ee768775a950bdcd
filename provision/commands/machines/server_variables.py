"""`paquet server variables`: what a run of the playbooks by hand asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.shared.context import pass_context
from provision.servers import deploy, inventory
from provision.servers.encoding import encode

if TYPE_CHECKING:
    from provision.commands.shared.context import Context


@click.command()
@click.argument("name", metavar="HOST")
@pass_context
def variables(context: Context, name: str) -> None:
    """Print what site.yml is given for HOST: the variables file of a run by hand.

    As deploy gives it, but for the secret: the key of the zone stays what it is on the server.
    """
    host = inventory.find(context.settings.inventory, name)
    click.echo(encode(deploy.site_play(host, context.settings).variables))
