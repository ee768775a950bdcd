"""Looks from outside at what the registry says should be there."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.checks import findings, suite
from provision.checks.inside import inside_check
from provision.checks.names import name_checks, zone_check
from provision.checks.target import Ports, Target
from provision.dns.lookup import NameServer
from provision.dns.records import server_records
from provision.registry.models import Bundle
from provision.servers import inventory
from provision.servers.looking import look_inside
from provision.servers.variables import REST_PORT
from provision.workflows import names, zones

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import SecretStr

    from provision.checks.findings import Finding
    from provision.servers.inventory import Host
    from provision.settings import Settings
    from provision.workflows.control import Control


def bundle_target(bundle: Bundle, settings: Settings, secret: SecretStr | None = None) -> Target:
    """Return what to look at for `bundle`; with a device's secret, behind the doors too."""
    names_of = zones.of_bundle(bundle, settings)
    return Target(
        domain=bundle.domain,
        host=names_of.host,
        mail_host=names_of.mail_host,
        address=names_of.address,
        cloud=bundle.cloud,
        dav_path=names_of.dav_path,
        files_path=names.FILES_PATHS[bundle.cloud],
        login=bundle.users[0].address,
        secret=secret,
        resolver=_resolver(settings),
        ca_file=settings.acme.ca_file,
        records=tuple(zones.desired(bundle, settings)),
    )


def check_bundle(
    control: Control, bundle: Bundle, secret: SecretStr | None = None
) -> Sequence[Finding]:
    """Look at `bundle` as its subscriber does."""
    target = bundle_target(bundle, control.settings, secret)
    return suite.check_bundle(target, control.clock(), round_trip=secret is not None)


def check_bundle_names(control: Control, bundle: Bundle) -> Sequence[Finding]:
    """Ask for every record of `bundle`."""
    return findings.run(name_checks(bundle_target(bundle, control.settings)))


def check_own_names(control: Control) -> Sequence[Finding]:
    """Ask for every record of the operator's own names."""
    settings = control.settings
    targets = [_server_target(host, settings) for host in zones.own_hosts(settings)]
    of_servers = [check for target in targets for check in name_checks(target)]
    return findings.run([*of_servers, zone_check(settings.operator.zone, _resolver(settings))])


def check_server(control: Control, name: str) -> Sequence[Finding]:
    """Look at a server of the inventory: inside, and at the doors that its group has."""
    settings = control.settings
    host = inventory.find(settings.inventory, name)
    target = _server_target(host, settings)
    inside = inside_check(partial(look_inside, host, settings), _settled(control, name))
    look = suite.check_server if "bundles" in host.groups else suite.check_backup_server
    return look(target, inside, control.clock())


def _server_target(host: Host, settings: Settings) -> Target:
    return Target(
        domain=host.server_name,
        host=host.server_name,
        mail_host=host.server_name,
        address=host.address,
        resolver=_resolver(settings),
        ca_file=settings.acme.ca_file,
        records=tuple(server_records(host.server_name, host.address)),
        ports=Ports(store=REST_PORT),
    )


def _settled(control: Control, server: str) -> dict[str, str]:
    """Return the names and domains of the bundles that have lived on `server` for a day."""
    with control.reading() as session:
        living = select(Bundle).where(
            Bundle.server == server,
            Bundle.state != "erased",
            Bundle.created_at < control.clock() - timedelta(days=1),
        )
        return {bundle.name: bundle.domain for bundle in session.scalars(living)}


def _resolver(settings: Settings) -> NameServer | None:
    if not settings.checks.resolver:
        return None
    return NameServer(settings.checks.resolver, settings.checks.port)
