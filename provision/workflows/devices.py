"""A device from its secret to its kit, and the end of it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision import edges
from provision.errors import PaquetError
from provision.phones.devices import make_secret, secret_digest
from provision.phones.mobileconfig import read_signer
from provision.registry import orders, states
from provision.registry.models import Device, User
from provision.workflows import bundles, plays

if TYPE_CHECKING:
    from pydantic import SecretStr
    from sqlalchemy.orm import Session

    from provision.phones.mobileconfig import Signer
    from provision.servers.outcomes import PlayResult
    from provision.servers.playbooks import Ready
    from provision.workflows.control import Control

ID_BYTES = 6


@dataclass(frozen=True)
class Enrolled:
    """A device that may sync, and its secret: shown once, in the kit, then forgotten."""

    device: Device
    secret: SecretStr
    signer: Signer | None


@dataclass(frozen=True)
class NewDevice:
    """The name and the kind of a device to enrol."""

    name: str
    kind: str


def enrol(control: Control, address: str, new: NewDevice, ready: Ready | None = None) -> Enrolled:
    """Make a device of the user at `address`, known to mail and cloud under one secret."""
    with control.session() as session:
        device, secret = enrol_in_registry(session, control, address, new)
    return _enrol_on_server(control, device, secret, ready)


def enrol_in_registry(
    session: Session, control: Control, address: str, new: NewDevice
) -> tuple[Device, SecretStr]:
    """Write a device of the user at `address` down, and return it with its secret.

    Raises UsageRefused when the bundle is closed, and PaquetError when the name is taken.
    """
    user = _user(session, address)
    bundles.refuse_closed(user.bundle)
    name = edges.person_name(new.name, "name of the device")
    if any(device.name == name and device.state == "enrolled" for device in user.devices):
        raise PaquetError(
            f"{address} has a device called {name} already",
            "Choose another name, or revoke that one first: paquet phone revoke.",
        )
    return _add(session, control, user, NewDevice(name, new.kind))


def enrol_first(control: Control, order_id: int, ready: Ready | None = None) -> Enrolled:
    """Enrol the device of an order, again when an earlier run lost its secret."""
    device, secret = first(control, order_id)
    return _enrol_on_server(control, device, secret, ready)


def first(control: Control, order_id: int) -> tuple[Device, SecretStr]:
    """Return the device of an order with a new secret, which its server does not know yet."""
    with control.session() as session:
        order = orders.get(session, order_id)
        user = order.bundle.users[0]
        wished = NewDevice(order.wish["device"], order.wish["kind"])
        known = [device for device in user.devices if device.name == wished.name]
        if not known:
            return _add(session, control, user, wished)
        secret = make_secret()
        known[0].secret_sha256 = secret_digest(secret)
        orders.load_bundle(user.bundle)
        return known[0], secret


def find(session: Session, address: str, name: str) -> Device:
    """Return the newest device of that name of the user at `address`, or raise PaquetError."""
    user = _user(session, address)
    devices = [device for device in user.devices if device.name == name]
    if not devices:
        known = ", ".join(device.name for device in user.devices) or "none"
        raise PaquetError(f"{address} has no device called {name}", f"There are: {known}.")
    return devices[-1]


def revoke(control: Control, address: str, name: str) -> Device:
    """End mail and cloud for one device at once; done again, it makes sure."""
    with control.session() as session:
        device = find(session, address, name)
        orders.load_bundle(device.user.bundle)
    plays.change(control, plays.device_play(device, "revoke", control))
    with control.session() as session:
        kept = session.get_one(Device, device.id)
        if kept.state == "enrolled":
            subject = (f"device:{kept.id}", control.told())
            states.change_state(session, kept, states.DEVICE, "revoked", told=subject)
            kept.revoked_at = control.clock()
    return kept


def listing(control: Control, address: str) -> list[dict[str, object]]:
    """Return one row per device of the user at `address`."""
    with control.reading() as session:
        return [
            {
                "device": device.name,
                "kind": device.kind,
                "state": device.state,
                "enrolled": f"{device.created_at:%Y-%m-%d}",
                "id": device.id,
            }
            for device in _user(session, address).devices
        ]


def _user(session: Session, address: str) -> User:
    wanted = edges.email(address)
    user = session.scalar(select(User).where(User.address == wanted))
    if user is None:
        login, _, domain = wanted.partition("@")
        bundles.living(session, domain)
        raise PaquetError(
            f"Nobody here has the address {wanted}",
            f"Give it to them first: paquet user add {domain} {login} --name NAME "
            f"(who has one: paquet user list {domain})",
        )
    return user


def _add(
    session: Session, control: Control, user: User, new: NewDevice
) -> tuple[Device, SecretStr]:
    secret = make_secret()
    device = Device(
        id=secrets.token_hex(ID_BYTES),
        user=user,
        name=new.name,
        kind=new.kind,
        state="enrolled",
        secret_sha256=secret_digest(secret),
        created_at=control.clock(),
    )
    session.add(device)
    states.record(session, f"device:{device.id}", "enrolled", control.told(user.address))
    orders.load_bundle(user.bundle)
    return device, secret


def _enrol_on_server(
    control: Control, device: Device, secret: SecretStr, ready: Ready | None = None
) -> Enrolled:
    result = plays.change(control, plays.device_play(device, "enrol", control, secret), ready)
    return enrolled(device, secret, result)


def enrolled(device: Device, secret: SecretStr, result: PlayResult) -> Enrolled:
    """Return the device that a play has made known to its server."""
    return Enrolled(device, secret, _signer(device, result))


def _signer(device: Device, result: PlayResult) -> Signer | None:
    """Return what signs an iPhone's profile: the certificate of the server's own web site."""
    if device.kind != "ios":
        return None
    return read_signer(result.private["chain"].encode(), result.private["key"].encode())
