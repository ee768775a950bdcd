"""More people in a bundle: each gets an address, and with it a login everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision import edges
from provision.errors import UsageRefused
from provision.registry import orders, states
from provision.registry.models import User
from provision.workflows import bundles, capacity, plays, rooms

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.registry.models import Bundle
    from provision.workflows.control import Control


def add(control: Control, domain: str, login: str, name: str) -> str:
    """Give a person an address in the bundle of `domain` and return it; again, it makes sure."""
    with control.session() as session:
        user = add_in_registry(session, control, f"{login}@{domain}", name)
    plays.change(control, plays.bundle_play("bundle.yml", user.bundle, control))
    return user.address


def add_in_registry(session: Session, control: Control, wanted: str, name: str) -> User:
    """Write a person with the `wanted` address down, unless they have it; their bundle is loaded.

    Raises UsageRefused when the subscription is for no more people, now or by a change that is
    agreed for later, or the bundle is closed.
    """
    login, _, domain = wanted.rpartition("@")
    bundle = bundles.living(session, domain)
    bundles.refuse_closed(bundle)
    address = f"{edges.login(login)}@{bundle.domain}"
    known = next((user for user in bundle.users if user.address == address), None)
    if known is not None:
        orders.load_bundle(bundle)
        return known
    limit = capacity.promised(session, bundle, control.today()).users
    if len(bundle.users) >= limit:
        people = "1 person" if limit == 1 else f"{limit} people"
        raise UsageRefused(
            f"The subscription of {domain} is for {people}",
            "Change it first: paquet subscription change --help",
        )
    user = User(
        address=address,
        display_name=edges.person_name(name),
        language=bundle.subscriber.language,
    )
    bundle.users.append(user)
    states.record(session, f"bundle:{bundle.name}", f"user {address}", control.told())
    orders.load_bundle(bundle)
    return user


def limit(session: Session, control: Control, address: str, room: int) -> Bundle:
    """Let a person take `room` bytes of the bundle's room at most; 0: as much as there is.

    What is there stays, and nothing comes to it while it is more than that. Returns the bundle,
    whose server does not know yet. Raises UsageRefused for somebody unknown, a closed bundle, or
    more than the bundle has.
    """
    wanted = edges.email(address)
    bundle = bundles.living(session, wanted.rpartition("@")[2])
    bundles.refuse_closed(bundle)
    user = next((user for user in bundle.users if user.address == wanted), None)
    if user is None:
        raise UsageRefused(
            f"Nobody has the address {wanted}", f"See: paquet user list {bundle.domain}"
        )
    most = capacity.in_force(session, bundle, control.today()).room
    if room > most:
        raise UsageRefused(f"{bundle.domain} has {rooms.size(most)}", "Give that, or less.")
    user.quota_bytes = room
    what = f"{user.address} may take {f'{room} bytes' if room else 'all of it'}"
    states.record(session, f"bundle:{bundle.name}", what, control.told())
    return orders.load_bundle(bundle)


def listing(control: Control, domain: str) -> list[dict[str, object]]:
    """Return one row per user of the bundle of `domain`."""
    return [
        {
            "address": user.address,
            "name": user.display_name,
            "room": f"{rooms.size(user.quota_bytes)} at most" if user.quota_bytes else "shared",
            "devices": sum(device.state == "enrolled" for device in user.devices),
        }
        for user in bundles.find(control, domain).users
    ]
