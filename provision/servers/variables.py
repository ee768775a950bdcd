"""What every play about a server is given: from the settings and the inventory."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from pydantic import SecretStr

from provision.errors import PaquetError
from provision.servers import artifacts, hostkeys, inventory

if TYPE_CHECKING:
    from pathlib import Path

    from provision.servers.inventory import Host
    from provision.settings import Settings

REST_PORT = 8000


def server_variables(host: Host, settings: Settings) -> dict[str, object]:
    """Return the variables of the plays that are not secret; `host` is who they are about."""
    acme, names = settings.acme, settings.names
    return {
        "server_name": host.server_name,
        "server_address": host.address,
        "operator_zone": settings.operator.zone,
        "operator_contact": settings.operator.contact,
        "operator_language": settings.operator.language,
        "acme_directory": str(acme.directory),
        "acme_ca": _read(acme.ca_file) if acme.ca_file else "",
        "names_server": names.server,
        "names_port": names.port,
        "tsig_key_name": names.acme_key_name,
        "tsig_algorithm": names.key_algorithm,
        "backup_server_name": _backup_server_name(host, settings),
        "package_mirror": str(settings.packages.mirror).rstrip("/"),
        "package_security_mirror": str(settings.packages.security_mirror).rstrip("/"),
    }


def site_variables(host: Host, settings: Settings) -> dict[str, object]:
    """Return the variables of site.yml: for a bundle server also the archives that it offers."""
    variables = {"site_host": host.name, **server_variables(host, settings)}
    # Its checks knock with wrong logins on purpose, and must not be kept out for that.
    variables["fail2ban_never"] = ["127.0.0.0/8", "::1", *_our_address(host)]
    known = [key.kind for key in hostkeys.known_keys(host, settings)]
    variables["ssh_known_host_keys"] = [kind for kind in known if kind.startswith("ecdsa-")]
    if "backup" in host.groups:
        neighbours = _clients(host, settings)
        variables["firewall_neighbours"] = [{"port": REST_PORT, "addresses": neighbours}]
    if "bundles" in host.groups:
        variables["cloud_nextcloud_artifacts"] = [
            {"version": artifact.version, "sha256": artifact.sha256, "path": artifact.path}
            for artifact in artifacts.offered(settings, "nextcloud")
        ]
    return variables


def _clients(host: Host, settings: Settings) -> list[str]:
    """Return the addresses of the servers whose backups `host` keeps, sorted."""
    servers = inventory.members(inventory.read(settings.inventory), "bundles")
    # Where there is one backup server, nobody needs to name it.
    clients = [
        server
        for server in servers
        if server.variables.get("backup_server", host.name) == host.name
    ]
    return sorted({address for client in clients for address in _addresses(client)})


def _addresses(host: Host) -> set[str]:
    """Return the addresses of `host`, which the inventory may know by name only."""
    try:
        answers = socket.getaddrinfo(host.address, None, type=socket.SOCK_STREAM)
    except OSError as unknown:
        raise PaquetError(
            f"The address of {host.name}, {host.address}, cannot be found: {unknown}",
            "Give its number as ansible_host: its backup server lets in nobody else.",
        ) from None
    return {str(address[0]) for *_, address in answers}


def _our_address(host: Host) -> list[str]:
    """Return the address from which this machine reaches `host`; behind NAT, one that is no use."""
    family = socket.AF_INET6 if ":" in host.address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host.address, host.port))  # sends nothing, only picks the way
        except OSError:
            return []
        return [str(probe.getsockname()[0])]


def server_secrets(settings: Settings) -> dict[str, SecretStr]:
    """Return the secrets of site.yml: the key that may write _acme-challenge, when there is one."""
    key_file = settings.names.acme_key_file
    return {"tsig_secret": SecretStr(_read(key_file).strip() if key_file else "")}


def _backup_server_name(host: Host, settings: Settings) -> str:
    """Return the name of the machine that keeps the backups of `host`."""
    named = host.variables.get("backup_server")
    if isinstance(named, str) and named:
        return inventory.find(settings.inventory, named).server_name
    return host.server_name if "backup" in host.groups else ""


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        raise PaquetError(
            f"{path} cannot be read: {wrong}", "Correct its path in the settings."
        ) from None
