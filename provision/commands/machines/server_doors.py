"""`paquet server allow` and `paquet server bans`: who is kept out, and who is let in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.shared.changing import agreed, change_options
from provision.commands.shared.context import pass_context
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
def allow(context: Context, name: str, address: str, length: str, how: How) -> None:
    """Let ADDRESS in at every door of HOST for some time, whatever is typed wrong there.

    For an install party: thirty phones behind one address. What was closed to it opens at once.
    Said again, the new time stands: --for 1m ends it. One exception: sshd itself still makes an
    address wait whose SSH logins failed (PerSourcePenalties).
    """
    host = inventory.find(context.settings.inventory, name)
    network, time = doors.network(address), doors.duration(length)
    wish = {"server": name, "address": network, "for": str(time)}
    if agreed(context, wish, how, "Let it in at every door?"):
        guests = doors.allow(host, context.settings, network, time)
        context.show({**wish, "until": guests.allowed[network]}, as_json=how.as_json)


@click.command()
@click.argument("name", metavar="HOST")
@click.option("--lift", metavar="ADDRESS", help="Open every door to this address again.")
@change_options
@pass_context
def bans(context: Context, name: str, lift: str | None, how: How) -> None:
    """List who is kept out of HOST: door, address, until when (UTC); and who is let in."""
    host = inventory.find(context.settings.inventory, name)
    nobody = f"{name}: nobody is kept out"
    if lift is None:
        rows = doors.guests(host, context.settings).as_rows()
        context.show(rows, as_json=how.as_json, nothing=nobody)
        return
    wish = {"server": name, "opens_to": doors.network(lift)}
    if agreed(context, wish, how, "Open every door to it again?"):
        rows = doors.lift(host, context.settings, wish["opens_to"]).as_rows()
        context.show(rows, as_json=how.as_json, nothing=nobody)
