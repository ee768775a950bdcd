"""The records of bundles and servers, from the registry to their zones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.dns import changes
from provision.dns.changes import ChangeSet
from provision.dns.hostnames import absolute
from provision.dns.lookup import ask, authoritative_servers
from provision.dns.providers.choice import provider
from provision.dns.records import (
    TTL,
    BundleNames,
    Record,
    bundle_records,
    certificate_issuer,
    has_policy,
    server_records,
    zone_records,
)
from provision.servers import inventory
from provision.workflows.names import DAV_PATHS, cloud_host, is_in_zone

if TYPE_CHECKING:
    from provision.registry.models import Bundle
    from provision.servers.inventory import Host
    from provision.settings import Settings


def of_bundle(bundle: Bundle, settings: Settings) -> BundleNames:
    """Return what the records of `bundle` are made from."""
    host = inventory.find(settings.inventory, bundle.server)
    return BundleNames(
        domain=bundle.domain,
        zone=settings.operator.zone if is_in_zone(bundle.domain, settings) else bundle.domain,
        host=cloud_host(bundle.domain, settings),
        mail_host=host.server_name,
        address=host.address,
        dkim_selector=bundle.dkim_selector,
        dkim_public_key=bundle.dkim_public_key,
        dav_path=DAV_PATHS[bundle.cloud],
        certificate_issuer=certificate_issuer(str(settings.acme.directory)),
    )


def desired(bundle: Bundle, settings: Settings) -> list[Record]:
    """Return every record that `bundle` should have."""
    return bundle_records(of_bundle(bundle, settings))


def difference(bundle: Bundle, settings: Settings) -> ChangeSet:
    """Return what must change in the zone for `bundle`."""
    names = of_bundle(bundle, settings)
    actual = provider(settings.names).fetch(names.zone)
    return changes.plan(bundle_records(names), actual, changes.bundle_scope(names))


def publish(bundle: Bundle, settings: Settings, *, force: bool = False) -> ChangeSet:
    """Bring the zone to what `bundle` needs and return what changed.

    Raises UnsafeChange when much of what exists would change and `force` is not given.
    """
    zone = of_bundle(bundle, settings).zone
    return _publish(zone, difference(bundle, settings), settings, force=force)


def _publish(zone: str, change_set: ChangeSet, settings: Settings, *, force: bool) -> ChangeSet:
    if not force:
        changes.raise_if_unsafe(change_set)
    if not change_set.is_empty:
        provider(settings.names).apply(zone, change_set)
    return change_set


def ending(bundle: Bundle, settings: Settings) -> ChangeSet:
    """Return what must leave the zone when `bundle` ends.

    Where a person publishes by hand nobody can list the zone: that is every record of the bundle.
    """
    names = of_bundle(bundle, settings)
    if settings.names.provider == "print":
        records = tuple(bundle_records(names))
        return ChangeSet((), (), records, len(records))
    zone = provider(settings.names)
    return changes.plan([], zone.fetch(names.zone), changes.bundle_scope(names))


def withdraw(bundle: Bundle, settings: Settings) -> ChangeSet:
    """Take every record of `bundle` out of the zone and return what changed, or is to be."""
    change_set = ending(bundle, settings)
    if settings.names.provider != "print" and not change_set.is_empty:
        provider(settings.names).apply(of_bundle(bundle, settings).zone, change_set)
    return change_set


def own_hosts(settings: Settings) -> list[Host]:
    """Return the servers of the inventory whose names are in the operator's zone."""
    hosts = inventory.read(settings.inventory).values()
    return [host for host in hosts if is_in_zone(host.server_name, settings)]


def own_records(settings: Settings) -> list[Record]:
    """Return the records of the operator's own names: those of the servers, and of the zone."""
    zone = settings.operator.zone
    return [*_of_servers(settings), *zone_records(zone, _actual(settings))]


def own_difference(settings: Settings) -> ChangeSet:
    """Return what must change in the operator's zone for its own names.

    Whoever wrote a policy of their own for the zone, or DMARC anywhere, has said more than we know:
    it stays. The SPF of a server is ours, for it follows the address.
    """
    actual = _actual(settings)
    hosts = {absolute(host.server_name) for host in own_hosts(settings)}
    desired = [
        record
        for record in [*_of_servers(settings), *zone_records(settings.operator.zone, actual)]
        if record.name in hosts or not has_policy(record, actual)
    ]
    return changes.plan(desired, actual, changes.own_scope(desired))


def _of_servers(settings: Settings) -> list[Record]:
    return [
        record
        for host in own_hosts(settings)
        for record in server_records(host.server_name, host.address)
    ]


def publish_own(settings: Settings, *, force: bool = False) -> ChangeSet:
    """Bring the operator's zone to what its own names need and return what changed.

    Raises UnsafeChange when much of what exists would change and `force` is not given.
    """
    return _publish(settings.operator.zone, own_difference(settings), settings, force=force)


def _actual(settings: Settings) -> list[Record]:
    """Return the records of the zone; where nobody can list them, those that stand at its top."""
    zone = settings.operator.zone
    if settings.names.provider != "print":
        return provider(settings.names).fetch(zone)
    top = absolute(zone)
    asked = next(iter(authoritative_servers(zone)), None)
    keys = ((top, "MX"), (top, "TXT"), (f"_dmarc.{top}", "TXT"))
    answers = [ask(name, kind, asked) for name, kind in keys]
    return [
        Record(answer.name, answer.type, TTL, answer.values) for answer in answers if answer.values
    ]
