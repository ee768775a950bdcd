"""Who sends: the operator's address, the server where it hands letters in, and its secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.errors import PaquetError, UsageRefused
from provision.post.smtp import SmtpDoor, session
from provision.registry.models import SealedSecret, User
from provision.registry.secrets import open_safe
from provision.servers import inventory
from provision.workflows import devices
from provision.workflows.devices import NewDevice

if TYPE_CHECKING:
    from pydantic import SecretStr

    from provision.servers.inventory import Host
    from provision.workflows.control import Control

OWNER = "post"  # of the sealed secret, whose name is the address
DEVICE, KIND = "Paquet", "desktop"


def address(control: Control) -> str:
    """Return the address that letters leave from, or raise UsageRefused: there is none."""
    sender = control.settings.post.address
    if not sender:
        raise UsageRefused(
            "No address is set from which letters leave",
            f"Give it in {control.settings.inventory.parent / 'paquet.toml'}: [post] address",
        )
    return sender


def own_server(control: Control) -> Host | None:
    """Return the server of ours on which the sender lives, None where it hands in elsewhere."""
    post = control.settings.post
    with control.reading() as registry:
        user = registry.scalar(select(User).where(User.address == address(control)))
        server = user.bundle.server if user and user.bundle.state == "active" else None
    if server is None:
        return None
    host = inventory.find(control.settings.inventory, server)
    return host if post.host in ("", host.server_name) else None


def door(control: Control) -> SmtpDoor:
    """Return where letters are handed in. Raises PaquetError without a server, or a secret."""
    sender = address(control)
    with control.reading() as registry:
        if registry.get(SealedSecret, (OWNER, sender)) is None:
            raise PaquetError(f"{sender} has no secret here yet", "Give it: paquet post sender")
        secret = open_safe(registry, control.settings.key_file).get(OWNER, sender)
    return _door(control, secret)


def enrol(control: Control) -> str:
    """Give the sender's own device a new secret, and seal it; return the server. Again, anew.

    A device of an earlier time is revoked first: its secret may be lost.
    """
    sender = address(control)
    with control.reading() as registry:
        user = registry.scalars(select(User).where(User.address == sender)).one()
        there = [device for device in user.devices if device.name == DEVICE]
        server = user.bundle.server
    if any(device.state == "enrolled" for device in there):
        devices.revoke(control, sender, DEVICE)
    enrolled = devices.enrol(control, sender, NewDevice(DEVICE, KIND))
    _seal(control, enrolled.secret)
    return server


def keep(control: Control, secret: SecretStr) -> str:
    """Seal the secret of an address elsewhere, once its server takes it; return the server."""
    entrance = _door(control, secret)
    with session(entrance):
        _seal(control, secret)
    return entrance.host


def _seal(control: Control, secret: SecretStr) -> None:
    sender = address(control)
    with control.session() as registry:
        open_safe(registry, control.settings.key_file).put(OWNER, sender, secret)


def _door(control: Control, secret: SecretStr) -> SmtpDoor:
    post, sender, host = control.settings.post, address(control), own_server(control)
    if host is None and not post.host:
        raise UsageRefused(
            f"{sender} lives on none of our servers",
            "Say in the settings where it hands letters in: [post] host",
        )
    return SmtpDoor(
        sender=sender,
        host=host.server_name if host else post.host,
        address=host.address if host else post.host,
        port=post.port,
        secret=secret,
        ca_file=control.settings.acme.ca_file,
    )
