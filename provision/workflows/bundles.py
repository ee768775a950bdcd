"""Bundles that there are, found and listed. Their life is in `upkeep`, their end in `offboard`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from provision import edges
from provision.errors import PaquetError, UsageRefused
from provision.registry import orders
from provision.registry.models import Bundle
from provision.servers import inventory
from provision.workflows import names

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
        domains = [bundle.domain for bundle in session.scalars(_standing(host.name))]
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
