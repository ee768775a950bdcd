"""`paquet user`: add, limit, list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.shared import progress
from provision.commands.shared.changing import change_options, decided
from provision.commands.shared.context import json_option, pass_context, show
from provision.errors import UsageRefused
from provision.subscriptions.offers.planfile import MOST_GIB
from provision.workflows import bundles, upkeep, users
from provision.workflows.rooms import GIB

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context


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


@user.command("limit")
@click.argument("address")
@click.option("--gib", type=click.IntRange(1, MOST_GIB), help="So much at most, in GiB.")
@click.option("--all", "whole", is_flag=True, help="As much as the bundle has, as at first.")
@change_options
@pass_context
def limit_user(
    context: Context, /, address: str, gib: int | None, *, whole: bool, how: How
) -> None:
    """Let ADDRESS take no more than a part of the room that all people of its bundle share."""
    if (gib is None) != whole:
        raise UsageRefused("How much?", "Give --gib NUMBER, or --all.")
    control = context.control()

    def work(session: Session) -> dict[str, object]:
        bundle = users.limit(session, control, address, (gib or 0) * GIB)
        return {"address": address, "gib": gib, "bundle": bundle.domain}

    done = decided(context, work, how, (lambda found: show(found, as_json=False), "Write this?"))
    if not how.dry_run:
        with progress.steps(quiet=how.as_json) as tell:
            telling = context.control(tell)
            limited = bundles.find(telling, str(done["bundle"]))
            upkeep.tell_server(telling, limited, f"The part of {address}")
    show(done, as_json=how.as_json)


@user.command("list")
@click.argument("domain")
@json_option
@pass_context
def list_users(context: Context, /, domain: str, *, as_json: bool) -> None:
    """List the users of the bundle of DOMAIN."""
    show(users.listing(context.control(), domain), as_json=as_json)
