"""`paquet server allow` and `paquet server bans`: who is kept out, and who is let in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.shared.changing import change_options
from provision.commands.shared.context import ask, pass_context, show
from provision.servers import doors, inventory

if TYPE_CHECKING:
    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context


@click.command()
@click.argument("name", metavar="HOST")
@click.argument("address")
@click.option("--for", "length", required=True, metavar="TIME", help="How long: 30m, 8h, 2d.")
@change_options
@pass_context
def allow(context: Context, /, name: str, address: str, length: str, *, how: How) -> None:
    """Let ADDRESS in at every door of HOST for some time, whatever is typed wrong there.

    For an install party: thirty phones behind one address. What was closed to it opens at once.
    Said again, the new time stands: --for 1m ends it. One exception: sshd itself still makes an
    address wait whose SSH logins failed (PerSourcePenalties).
    """
    host = inventory.find(context.settings.inventory, name)
    network, time = doors.network(address), doors.duration(length)
    wish = {"server": name, "address": network, "for": str(time)}
    if how.dry_run:
        show(wish, as_json=how.as_json)
        return
    if not how.yes:
        ask(f"Let {network} in at every door of {name} for {length}?")
    guests = doors.allow(host, context.settings, network, time)
    show({**wish, "until": guests.allowed[network]}, as_json=how.as_json)


@click.command()
@click.argument("name", metavar="HOST")
@click.option("--lift", metavar="ADDRESS", help="Open every door to this address again.")
@change_options
@pass_context
def bans(context: Context, /, name: str, lift: str | None, *, how: How) -> None:
    """List who is kept out of HOST: door, address, until when (UTC); and who is let in."""
    host = inventory.find(context.settings.inventory, name)
    network = doors.network(lift) if lift else ""
    guests = doors.guests(host, context.settings)
    if network and not how.dry_run:
        if not how.yes:
            ask(f"Open every door of {name} to {network} again?")
        guests = doors.lift(host, context.settings, network)
    rows = guests.as_rows()
    show(rows, as_json=how.as_json)
    if not rows and not how.as_json:
        click.echo(f"{name}: nobody is kept out")
