"""What the owner of a device takes home, made of what the registry knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from provision.phones.devices import Sync
from provision.phones.kits import write_kit as write_sheets
from provision.servers import inventory
from provision.workflows import names, supporting

if TYPE_CHECKING:
    from pathlib import Path

    from provision.workflows.control import Control
    from provision.workflows.devices import Enrolled


def write_kit(control: Control, enrolled: Enrolled) -> Path:
    """Write what the user takes home and return its folder."""
    device = enrolled.device
    folder = control.kits / device.user.address / device.id
    return write_sheets(describe(control, enrolled), folder, enrolled.signer).folder


def describe(control: Control, enrolled: Enrolled) -> Sync:
    """Return all that the device must know to sync."""
    device, bundle = enrolled.device, enrolled.device.user.bundle
    settings = control.settings
    return Sync(
        address=device.user.address,
        display_name=device.user.display_name,
        device_name=device.name,
        kind=cast("Any", device.kind),
        secret=enrolled.secret,
        cloud=cast("Any", bundle.cloud),
        cloud_host=names.cloud_host(bundle.domain, settings),
        dav_path=names.DAV_PATHS[bundle.cloud],
        files_url=names.files_url(bundle, device.user.address, settings),
        mail_host=inventory.find(settings.inventory, bundle.server).server_name,
        language=cast("Any", device.user.language),
        operator_name=settings.operator.name,
        support=supporting.support(control, bundle),
        issued=control.clock().date(),
    )
