"""`paquet subscriber import`: the clients that a shop has already, from one list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.shared import client_lists
from provision.commands.shared.context import pass_context

if TYPE_CHECKING:
    from provision.commands.shared.changing import How
    from provision.commands.shared.client_lists import ClientList
    from provision.commands.shared.context import Context


@click.command(name="import")
@client_lists.list_options
@pass_context
def bring_in(context: Context, wanted: ClientList, how: How) -> None:
    """Bring in clients from FILE, a CSV with a line for each: with mandates and subscriptions.

    All faulty lines are told, and nothing is written before they are mended or skipped. What is
    there already stays as it is; what a line says otherwise is shown, and asked.
    """
    client_lists.bring_in(context, wanted, how, enrols=True)
