"""How servers are reached: OpenSSH with our own known hosts, deaf to the user's ssh settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.errors import PaquetError, UnsafeChange

if TYPE_CHECKING:
    from pathlib import Path

    from provision.servers.inventory import Host
    from provision.settings import Settings

KNOWN_HOSTS = "known_hosts"
CONNECT_SECONDS = 10
KEY_CHANGED = "REMOTE HOST IDENTIFICATION HAS CHANGED"
KEY_UNKNOWN = "Host key verification failed"


class Unreachable(PaquetError):
    """The server does not answer, or does not let us in: nothing is known about its state."""


def known_hosts(settings: Settings) -> Path:
    """Return the file with the host keys that were confirmed, under the names of the inventory."""
    return settings.state / KNOWN_HOSTS


def options(settings: Settings) -> list[str]:
    """Return the ssh options that hold for every server (ssh_config(5)).

    A dead connection is noticed within a minute, since a lock may hang on it.
    """
    words = ["-F", "none"]
    for option in (
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        f"UserKnownHostsFile={known_hosts(settings).resolve()}",
        "GlobalKnownHostsFile=/dev/null",
        "UpdateHostKeys=no",
        "CheckHostIP=no",
        "PasswordAuthentication=no",
        "KbdInteractiveAuthentication=no",
        "ForwardAgent=no",
        f"ConnectTimeout={CONNECT_SECONDS}",
        "ServerAliveInterval=15",
        "ServerAliveCountMax=3",
        "LogLevel=ERROR",
    ):
        words += ["-o", option]
    return words


def host_options(host: Host) -> list[str]:
    """Return the ssh options of one server: its key is known under its name, not its address."""
    words = ["-o", f"HostKeyAlias={host.name}"]
    if host.key_file is not None:
        words += ["-o", "IdentitiesOnly=yes", "-i", str(host.key_file)]
    return words


def ssh_command(host: Host, settings: Settings, *, user: str = "") -> list[str]:
    """Return the words of an ssh call to `host`, to be followed by the remote command."""
    where = ["-p", str(host.port), "-l", user or host.user, host.address]
    return ["ssh", *options(settings), *host_options(host), *where]


def explain_unreachable(host: str, said: str) -> PaquetError:
    """Given what ssh said, return the error that a person should see."""
    if KEY_CHANGED in said or KEY_UNKNOWN in said:
        return UnsafeChange(
            f"{host} answers with another host key than the one that was confirmed",
            f"If it was reinstalled: `paquet server prepare {host} --host-key SHA256:…`. "
            "If not, somebody may stand between you and it: stop.",
        )
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    reason = lines[-1] if lines else "it gave no reason"
    return Unreachable(f"{host} cannot be reached: {reason}", _hint(host, said))


def _hint(host: str, said: str) -> str:
    if "Permission denied" in said:
        return f"Your SSH key is not accepted: `paquet server prepare {host}` installs it."
    if "kex_exchange_identification" in said:
        return "Its sshd shuts out who connected too often of late: try again in a minute."
    return "See that it is on, that its address in the inventory is right, and that ssh answers."
