"""What a bundle may hold: people and room as its subscription says, on the server too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.errors import PaquetError, UsageRefused
from provision.registry import orders
from provision.registry.models import Bundle, Order
from provision.subscriptions.selling import opening
from provision.workflows import bundles, names, rooms

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.subscriptions.selling.models import Subscription, SubscriptionVersion
    from provision.workflows.control import Control

LIVING = ("active", "suspended")


@dataclass(frozen=True)
class Capacity:
    """So many people, and so many bytes for the mail, files and calendars of them all."""

    users: int
    room: int


def in_force(session: Session, bundle: Bundle, day: date) -> Capacity:
    """Return what `bundle` may hold on `day`. Raises PaquetError when nobody subscribed to it."""
    return _of_version(opening.version_on(_subscription(session, bundle), day))


def promised(session: Session, bundle: Bundle, day: date) -> Capacity:
    """Return what `bundle` may hold on `day` and on every later one, by what is agreed."""
    subscription = _subscription(session, bundle)
    now = opening.version_on(subscription, day)
    agreed = [now, *(version for version in subscription.versions if version.from_day > day)]
    each = [_of_version(version) for version in agreed]
    return Capacity(
        min(capacity.users for capacity in each), min(capacity.room for capacity in each)
    )


def bundle_of(session: Session, subscription: Subscription) -> Bundle | None:
    """Return the living bundle of a subscription; None when it runs elsewhere or is erased."""
    return session.scalar(
        select(Bundle)
        .join(Order, Order.bundle_id == Bundle.id)
        .where(Order.id == subscription.order_id, Bundle.state != "erased")
    )


def refuse_people(bundle: Bundle, users: int) -> None:
    """Raise UsageRefused when more people than `users` are in `bundle`."""
    if len(bundle.users) > users:
        raise UsageRefused(
            f"{len(bundle.users)} people are in the bundle of {bundle.domain}, more than {users}",
            f"Give --users {len(bundle.users)}, or see who they are: "
            f"paquet user list {bundle.domain}",
        )


def refuse_room(control: Control, bundle: Bundle, gib: int) -> None:
    """Raise UsageRefused when `bundle` takes more room than `gib` GiB, with the numbers.

    Where the room becomes less its server is asked, so nobody may wait for the registry meanwhile.
    """
    room = gib * rooms.GIB
    if room >= bundle.quota_bytes:
        return
    used = rooms.look(control, bundle)
    if used.taken > room:
        raise UsageRefused(
            f"{bundle.domain} takes {rooms.size(used.taken)}, more than {rooms.size(room)}: "
            f"{rooms.by_whom(used)}",
            "What is not needed must go first; it is measured anew every five minutes.",
        )


def due(control: Control) -> list[Bundle]:
    """Return the bundles whose server was told another room than is in force today, by domain."""
    today = control.today()
    with control.reading() as session:
        living = select(Bundle).where(Bundle.state.in_(LIVING)).order_by(Bundle.domain)
        return [
            orders.load_bundle(bundle)
            for bundle in session.scalars(living)
            if is_due(session, bundle, today)
        ]


def is_due(session: Session, bundle: Bundle, day: date) -> bool:
    """Whether the server of a living `bundle` was told another room than is in force on `day`."""
    if bundle.state not in LIVING or _subscribed(session, bundle) is None:
        return False
    return in_force(session, bundle, day).room != bundle.quota_bytes


def _of_version(version: SubscriptionVersion) -> Capacity:
    return Capacity(version.users, version.gib * rooms.GIB)


def _subscribed(session: Session, bundle: Bundle) -> Subscription | None:
    return opening.of_order(session, orders.of_bundle(session, bundle).id)


def _subscription(session: Session, bundle: Bundle) -> Subscription:
    subscription = _subscribed(session, bundle)
    if subscription is None:
        raise PaquetError(
            f"Nobody subscribed to the bundle of {bundle.domain}", "See: paquet books verify"
        )
    return subscription


def describe(control: Control, domain: str) -> dict[str, object]:
    """Return what a person wants to know of the bundle of `domain`."""
    bundle = bundles.find(control, domain)
    return {
        "domain": bundle.domain,
        "state": bundle.state,
        "export_until": bundle.export_until and bundle.export_until.isoformat(),
        "web": f"https://{names.cloud_host(bundle.domain, control.settings)}/",
        "cloud": f"{bundle.cloud} {bundle.cloud_version}".strip(),
        "server": bundle.server,
        "backup": bundle.backup_server,
        **_held(control, bundle),
        "devices": ", ".join(
            f"{device.name} ({device.state})" for user in bundle.users for device in user.devices
        ),
        "bundle": bundle.name,
    }


def _held(control: Control, bundle: Bundle) -> dict[str, object]:
    """Return how many people and how much room a bundle has, what is taken and by whom."""
    with control.reading() as session:
        may = in_force(session, bundle, control.today())
    told: dict[str, object] = {
        "people": f"{len(bundle.users)} of {may.users}",
        "users": ", ".join(user.address for user in bundle.users),
    }
    try:
        used = rooms.look(control, bundle)
    except PaquetError as unknown:
        taken = f"? of {rooms.size(may.room)} ({unknown.message})"
        return {**told, "room": taken, "room_taken_by": ""}
    room = f"{rooms.size(used.taken)} of {rooms.size(may.room)} ({used.when})"
    return {**told, "room": room, "room_taken_by": rooms.by_whom(used)}
