"""More people in a bundle: each gets an address, and with it a login everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.errors import UsageRefused
from provision.registry import edges, orders, states
from provision.registry.models import Bundle, User
from provision.subscriptions import plans
from provision.workflows import bundles, plays

if TYPE_CHECKING:
    from provision.workflows.control import Control


def add(control: Control, domain: str, login: str, name: str) -> str:
    """Give a person an address in the bundle of `domain` and return it; again, it makes sure.

    Raises UsageRefused when the plan has no room for one more, or the bundle is closed.
    """
    found = bundles.find(control, domain)
    address = f"{edges.login(login)}@{found.domain}"
    with control.session() as session:
        bundle = session.get_one(Bundle, found.id)
        bundles.refuse_closed(bundle)
        if all(user.address != address for user in bundle.users):
            order = orders.of_bundle(session, bundle)
            limit = plans.get(session, order.wish["plan"]).users
            if len(bundle.users) >= limit:
                raise UsageRefused(
                    f"The plan of {domain} is for {limit} people", "Change it first."
                )
            bundle.users.append(
                User(
                    address=address,
                    display_name=edges.person_name(name),
                    language=bundle.subscriber.language,
                    quota_bytes=bundle.quota_bytes,
                )
            )
            states.record(session, f"bundle:{bundle.name}", f"user {address}", control.told())
    plays.change(control, plays.bundle_play("bundle.yml", bundle, control))
    return address


def listing(control: Control, domain: str) -> list[dict[str, object]]:
    """Return one row per user of the bundle of `domain`."""
    return [
        {
            "address": user.address,
            "name": user.display_name,
            "devices": sum(device.state == "enrolled" for device in user.devices),
        }
        for user in bundles.find(control, domain).users
    ]
