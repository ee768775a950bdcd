"""`paquet phone`: enrol and revoke the devices of a user."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.shared import progress
from provision.commands.shared.changing import agreed, change_options, tried
from provision.commands.shared.context import pass_context
from provision.commands.shared.imported import load
from provision.commands.shared.words import json_option
from provision.servers.playbooks import start_ansible
from provision.workflows import devices

if TYPE_CHECKING:
    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.registry.models import Device

KINDS = click.Choice(["android", "ios", "desktop"])


@click.group()
def phone() -> None:
    """Let phones and computers sync, each with one secret for mail and cloud."""


@phone.command()
@click.argument("user")
@click.option("--device", required=True, help="How its owner calls it.")
@click.option("--for", "kind", type=KINDS, required=True)
@change_options
@pass_context
def enrol(context: Context, user: str, device: str, kind: str, how: How) -> None:
    """Let a device of USER (an address) sync, and write its kit: a page, a PDF, a profile.

    The secret of the device is shown there once and kept nowhere.
    """
    control, new = context.control(), devices.NewDevice(device, kind)
    planned = tried(
        context,
        lambda session: {
            **_facts(devices.enrol_in_registry(session, control, user, new)[0]),
            "kit": f"a folder of its own in {control.kits}",
        },
    )
    if agreed(context, planned, how, "Enrol it?"):
        with progress.steps(quiet=how.as_json) as tell:
            telling = context.control(tell)
            with start_ansible(telling.settings) as ready:
                kits = load("provision.workflows.kits")  # what makes paper, while Ansible starts
                enrolled = devices.enrol(telling, user, new, ready)
            folder = kits.write_kit(telling, enrolled)
        context.show({"device": enrolled.device.id, "kit": str(folder)}, as_json=how.as_json)


@phone.command()
@click.argument("user")
@click.option("--device", required=True, help="Its name: see `paquet phone list`.")
@change_options
@pass_context
def revoke(context: Context, user: str, device: str, how: How) -> None:
    """End mail and cloud for one device of USER at once. What is on the device stays there."""
    with context.reading() as session:
        planned = _facts(devices.find(session, user, device))
    if agreed(context, {**planned, "ends": "mail and cloud"}, how, "Revoke it?"):
        with progress.steps(quiet=how.as_json) as tell:
            revoked = devices.revoke(context.control(tell), user, device)
        context.show({"device": revoked.id, "state": revoked.state}, as_json=how.as_json)


@phone.command("list")
@click.argument("user")
@json_option
@pass_context
def list_devices(context: Context, user: str, *, as_json: bool) -> None:
    """List the devices of USER."""
    rows = devices.listing(context.control(), user)
    context.show(rows, as_json=as_json)


def _facts(device: Device) -> Facts:
    """Say whose device it is, and which server knows it or will."""
    return {
        "person": f"{device.user.display_name} <{device.user.address}>",
        "device": device.name,
        "for": device.kind,
        "bundle": device.user.bundle.name,
        "server": device.user.bundle.server,
    }
