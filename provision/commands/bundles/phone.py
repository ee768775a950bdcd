"""`paquet phone`: enrol and revoke the devices of a user."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.shared import progress
from provision.commands.shared.context import json_option, pass_context, show
from provision.workflows import devices

if TYPE_CHECKING:
    from provision.commands.shared.context import Context

KINDS = click.Choice(["android", "ios", "desktop"])


@click.group()
def phone() -> None:
    """Let phones and computers sync, each with one secret for mail and cloud."""


@phone.command()
@click.argument("user")
@click.option("--device", required=True, help="How its owner calls it.")
@click.option("--for", "kind", type=KINDS, required=True)
@json_option
@pass_context
def enrol(context: Context, /, user: str, device: str, kind: str, *, as_json: bool) -> None:
    """Let a device of USER (an address) sync, and write its kit: a page, a PDF, a profile.

    The secret of the device is shown there once and kept nowhere.
    """
    with progress.steps(quiet=as_json) as tell:
        control = context.control(tell)
        enrolled = devices.enrol(control, user, devices.NewDevice(device, kind))
        folder = devices.write_kit(control, enrolled)
    show({"device": enrolled.device.id, "kit": str(folder)}, as_json=as_json)


@phone.command()
@click.argument("user")
@click.option("--device", required=True, help="Its name: see `paquet phone list`.")
@json_option
@pass_context
def revoke(context: Context, /, user: str, device: str, *, as_json: bool) -> None:
    """End mail and cloud for one device of USER at once. What is on the device stays there."""
    with progress.steps(quiet=as_json) as tell:
        revoked = devices.revoke(context.control(tell), user, device)
    show({"device": revoked.id, "state": revoked.state}, as_json=as_json)


@phone.command("list")
@click.argument("user")
@json_option
@pass_context
def list_devices(context: Context, /, user: str, *, as_json: bool) -> None:
    """List the devices of USER."""
    show(devices.listing(context.control(), user), as_json=as_json)
