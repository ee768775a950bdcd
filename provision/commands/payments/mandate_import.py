"""`paquet mandate import`: mandates that another program used until now, from one list."""

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
    """Bring in the mandates of FILE, a CSV with a line for each, of subscribers who are known.

    They are found by number, e-mail address or reference (RUM). A mandate keeps its reference, the
    day of its signature and its last debit.
    """
    client_lists.bring_in(context, wanted, how, enrols=False)
