"""`paquet user`: add, limit, list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision.commands.shared import progress
from provision.commands.shared.changing import agreed, change, change_options, tried
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import json_option, typed
from provision.errors import UsageRefused
from provision.subscriptions.offers.planfile import MOST_GIB
from provision.workflows import bundles, upkeep, users
from provision.workflows.rooms import GIB

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts


@click.group()
def user() -> None:
    """Give people of a bundle their address, which is their login everywhere."""


@user.command()
@click.argument("domain")
@click.argument("login")
@click.option("--name", required=True, help="The name of the person.")
@change_options
@pass_context
def add(context: Context, domain: str, login: str, name: str, how: How) -> None:
    """Add LOGIN@DOMAIN to the bundle of DOMAIN. `paquet phone enrol` then lets a device sync."""
    control = context.control()

    def work(session: Session) -> Facts:
        added = users.add_in_registry(session, control, f"{login}@{domain}", name)
        return {
            "address": added.address,
            "name": added.display_name,
            "bundle": added.bundle.name,
            "server": added.bundle.server,
            "people": len(added.bundle.users),
        }

    planned = tried(context, work)
    if agreed(context, planned, how, "Add this person?"):
        with progress.steps(quiet=how.as_json) as tell:
            users.add(context.control(tell), domain, login, name)
        context.show(planned, as_json=how.as_json)


@dataclass(frozen=True)
class RoomPart:
    """How much of the room a person may take: so many GiB, or all that there is."""

    gib: int | None
    whole: bool


@user.command("limit")
@click.argument("address")
@click.option("--gib", type=click.IntRange(1, MOST_GIB), help="So much at most, in GiB.")
@click.option("--all", "whole", is_flag=True, help="As much as the bundle has, as at first.")
@typed(RoomPart, "part")
@change_options
@pass_context
def limit_user(context: Context, address: str, part: RoomPart, how: How) -> None:
    """Let ADDRESS take no more than a part of the room that all people of its bundle share."""
    if (part.gib is None) != part.whole:
        raise UsageRefused("How much?", "Give --gib NUMBER, or --all.")
    control = context.control()

    def work(session: Session) -> Facts:
        bundle = users.limit(session, control, address, (part.gib or 0) * GIB)
        return {"address": address, "gib": part.gib, "bundle": bundle.domain}

    done = change(context, work, how)
    if done is not None:
        with progress.steps(quiet=how.as_json) as tell:
            telling = context.control(tell)
            limited = bundles.find(telling, str(done["bundle"]))
            upkeep.tell_server(telling, limited, f"The part of {address}")


@user.command("list")
@click.argument("domain")
@json_option
@pass_context
def list_users(context: Context, domain: str, *, as_json: bool) -> None:
    """List the users of the bundle of DOMAIN."""
    context.show(users.listing(context.control(), domain), as_json=as_json)
