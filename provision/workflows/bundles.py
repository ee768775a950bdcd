"""A bundle in its life: found, shown, suspended, opened again. Its end is in `offboard`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from provision import edges
from provision.errors import PaquetError, UsageRefused
from provision.registry import orders, states
from provision.registry.models import Bundle
from provision.servers import inventory
from provision.workflows import capacity, names, plays, rooms

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from provision.servers.inventory import Host
    from provision.workflows.control import Control


def find(control: Control, domain: str) -> Bundle:
    """Return the living bundle of `domain`, with its users and devices."""
    with control.reading() as session:
        return orders.load_bundle(living(session, domain))


def living(session: Session, domain: str) -> Bundle:
    """Return the bundle of `domain` that is not erased, or raise PaquetError."""
    wanted = select(Bundle).where(Bundle.domain == edges.domain(domain), Bundle.state != "erased")
    bundle = session.scalar(wanted)
    if bundle is None:
        raise PaquetError(f"No bundle has the domain {domain}", "See `paquet bundle list`.")
    return bundle


def refuse_homeless(control: Control, host: Host) -> None:
    """Raise UsageRefused when `host` gives up the zone (`serves_zone`) that bundles on it live in.

    Their certificate would go with it, and the web server would not start again.
    """
    if names.serves_zone(host):
        return
    with control.reading() as session:
        domains = [one.domain for one in session.scalars(_standing(host.name))]
    homeless = [domain for domain in domains if names.is_in_zone(domain, control.settings)]
    if homeless:
        raise UsageRefused(
            f"{len(homeless)} bundles of the zone live on {host.name}, {homeless[0]} first",
            "Take serves_zone: false out of the inventory until they are gone.",
        )


def standing_on(control: Control, server: str) -> list[Bundle]:
    """Return the bundles on `server` that are not erased, by domain. Raises for no such server."""
    inventory.find(control.settings.inventory, server)
    with control.reading() as session:
        return [orders.load_bundle(bundle) for bundle in session.scalars(_standing(server)).all()]


def _standing(server: str) -> Select[Bundle]:
    wanted = select(Bundle).where(Bundle.server == server, Bundle.state != "erased")
    return wanted.order_by(Bundle.domain)


def deploy(control: Control, bundle: Bundle, *, dry_run: bool = False) -> int:
    """Bring `bundle` to what this release says; return how many tasks changed (would change)."""
    play = plays.bundle_play("bundle.yml", bundle, control)
    done = plays.rehearse(control, play) if dry_run else plays.change(control, play)
    return sum(done.changed.values())


def bring_room(control: Control, domain: str) -> None:
    """Tell the server of a bundle the room of today, unless it knows. Raises PaquetError."""
    bundle = find(control, domain)
    with control.reading() as session:
        if not capacity.is_due(session, bundle, control.today()):
            return
    tell_server(control, bundle, "The subscription")


def tell_server(control: Control, bundle: Bundle, what: str) -> None:
    """Deploy a bundle, of which `what` is changed here. Raises PaquetError that says so."""
    try:
        deploy(control, bundle)
    except PaquetError as failed:
        raise PaquetError(
            f"{what} is changed, and its server not yet: {failed.message}",
            f"{failed.hint} Then: paquet bundle deploy {bundle.domain}".strip(),
        ) from failed


def refuse_closed(bundle: Bundle) -> None:
    """Raise UsageRefused for a closed bundle: nobody and nothing comes into it any more."""
    if bundle.state == "closed":
        raise UsageRefused(
            f"The bundle of {bundle.domain} is closed for good",
            "Order a new one: paquet order place --help",
        )


def listing(control: Control) -> list[dict[str, object]]:
    """Return one row per bundle."""
    with control.reading() as session:
        return [
            {
                "domain": bundle.domain,
                "cloud": bundle.cloud,
                "state": bundle.state,
                "server": bundle.server,
                "users": len(bundle.users),
                "bundle": bundle.name,
            }
            for bundle in session.scalars(select(Bundle).order_by(Bundle.domain))
        ]


def describe(control: Control, domain: str) -> dict[str, object]:
    """Return what a person wants to know of the bundle of `domain`."""
    bundle = find(control, domain)
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
        may = capacity.in_force(session, bundle, control.today())
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


def change_state(control: Control, domain: str, state: str, why: str) -> None:
    """Suspend the bundle of `domain` or open it again: registry first, then the server.

    Killed in between, the same command brings the server to what the registry says.
    """
    name = find(control, domain).name
    with control.session() as session:
        bundle = session.scalars(select(Bundle).where(Bundle.name == name)).one()
        if bundle.state != state:
            told = (f"bundle:{name}", control.told(why))
            states.change_state(session, bundle, states.BUNDLE, state, told=told)
        orders.load_bundle(bundle)
    plays.change(control, plays.bundle_play("bundle.yml", bundle, control))
