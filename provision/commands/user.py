"""`paquet user`: add, list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands import progress
from provision.commands.context import json_option, pass_context, show
from provision.workflows import users

if TYPE_CHECKING:
    from provision.commands.context import Context


@click.group()
def user() -> None:
    """Give people of a bundle their address, which is their login everywhere."""


@user.command()
@click.argument("domain")
@click.argument("login")
@click.option("--name", required=True, help="The name of the person.")
@json_option
@pass_context
def add(context: Context, /, domain: str, login: str, name: str, *, as_json: bool) -> None:
    """Add LOGIN@DOMAIN to the bundle of DOMAIN. `paquet phone enrol` then lets a device sync."""
    with progress.steps(quiet=as_json) as tell:
        address = users.add(context.control(tell), domain, login, name)
    show({"address": address}, as_json=as_json)


@user.command("list")
@click.argument("domain")
@json_option
@pass_context
def list_users(context: Context, /, domain: str, *, as_json: bool) -> None:
    """List the users of the bundle of DOMAIN."""
    show(users.listing(context.control(), domain), as_json=as_json)
