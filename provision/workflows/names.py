"""How a bundle is reached: the names of its services. Their records are in `zones`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.dns.hostnames import absolute

if TYPE_CHECKING:
    from provision.registry.models import Bundle
    from provision.servers.inventory import Host
    from provision.settings import Settings

DAV_PATHS = {"nextcloud": "/remote.php/dav/", "light": "/dav/"}
FILES_PATHS = {"nextcloud": "/remote.php/dav/files/", "light": "/files/"}


def is_in_zone(domain: str, settings: Settings) -> bool:
    """Whether `domain` lives under the operator's zone, and so under its wildcard certificate."""
    return domain.endswith(f".{settings.operator.zone}")


def has_wildcard(domain: str, settings: Settings) -> bool:
    """Whether the wildcard certificate of the zone serves `domain`.

    The authority gives one where its question is answered by records that servers may write.
    """
    proven = bool(settings.names.server and settings.names.acme_key_name)
    return proven and is_in_zone(domain, settings)


def serves_zone(host: Host) -> bool:
    """Whether `host` carries bundles of the operator's zone, and so holds its certificate."""
    return host.variables.get("serves_zone", True) is not False


def cloud_host(domain: str, settings: Settings) -> str:
    """Return the name that serves the cloud of the bundle at `domain`."""
    return domain if is_in_zone(domain, settings) else f"cloud.{domain}"


def files_url(bundle: Bundle, address: str, settings: Settings) -> str:
    """Return where the files of the user at `address` are, for WebDAV clients."""
    return f"https://{cloud_host(bundle.domain, settings)}{FILES_PATHS[bundle.cloud]}{address}/"


def is_own(domain: str, settings: Settings) -> bool:
    """Whether `domain` is the operator's zone itself."""
    return absolute(domain) == absolute(settings.operator.zone)
