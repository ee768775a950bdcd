"""Host keys: confirmed once at first contact, then never again taken on trust.

Our known hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT) names servers as the inventory does.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.errors import PaquetError, UnsafeChange
from provision.process.commands import run
from provision.process.files import locked, replace_file
from provision.servers.connection import Unreachable, known_hosts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from provision.servers.inventory import Host
    from provision.settings import Settings

# The preferred kind first; the others only where it does not do: sshd counts each connection that
# ends without a login against its address (sshd_config(5), PerSourcePenalties).
SCANS = ("ed25519", "ecdsa,rsa")
KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "ssh-rsa")
SCAN_SECONDS = 10
WORDS_OF_A_LINE = 3


@dataclass(frozen=True)
class HostKey:
    """A public host key: its kind, and its blob in base64."""

    kind: str
    blob: str

    @property
    def fingerprint(self) -> str:
        """The form that `ssh-keygen -l` and a hoster's console show: SHA256 in base64."""
        digest = hashlib.sha256(base64.b64decode(self.blob)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def parse(text: str) -> list[tuple[str, HostKey]]:
    """Given the text of a known hosts file, return its names and keys; comments are skipped."""
    keys = []
    for line in text.splitlines():
        words = line.split()
        if len(words) >= WORDS_OF_A_LINE and not line.startswith(("#", "@")):
            keys += [(name, HostKey(words[1], words[2])) for name in words[0].split(",")]
    return keys


def known_keys(host: Host, settings: Settings) -> list[HostKey]:
    """Return the keys that were confirmed for `host`."""
    return [key for name, key in _read(known_hosts(settings)) if name == host.name]


def trust(host: Host, settings: Settings, given: str, ask: Callable[[HostKey], bool]) -> HostKey:
    """Return the confirmed key of `host`; a server that we do not know yet is confirmed first.

    `given` is a fingerprint or a line of a .pub file; without it, `ask` shows the key to a person.
    A server that is known is not asked: ssh sees at each login that it still has that key.
    Raises UnsafeChange when the server has another key than the one given.
    """
    known = known_keys(host, settings)
    if given:
        confirmed = _find_given(host, given)
    elif known:
        return known[0]
    elif ask(offered := next(_scan(host))):
        confirmed = offered
    else:
        raise PaquetError(
            f"The host key of {host.name} was not confirmed",
            "Compare its fingerprint with the console of the server, or give it by --host-key.",
        )
    if [confirmed] != known:
        _remember(host, settings, confirmed)
    return confirmed


def _scan(host: Host) -> Iterator[HostKey]:
    """Ask `host` for its keys, the preferred kind first; nothing is believed yet."""
    seen: set[HostKey] = set()
    for kinds in SCANS:
        words = ["ssh-keyscan", "-T", str(SCAN_SECONDS), "-p", str(host.port), "-t", kinds]
        said = run([*words, host.address], check=False).stdout
        keys = {key for _, key in parse(said) if key.kind in KINDS}
        yield from sorted(keys, key=_rank)
        seen |= keys
    if not seen:
        raise Unreachable(
            f"{host.name} does not answer by ssh at {host.address}, port {host.port}",
            "See that it is on and that its address in the inventory is right.",
        )


def _rank(key: HostKey) -> int:
    return KINDS.index(key.kind)


def _find_given(host: Host, given: str) -> HostKey:
    words, offered = given.split(), []
    for key in _scan(host):
        if words in ([key.fingerprint], [key.kind, key.blob]) or words[:2] == [key.kind, key.blob]:
            return key
        offered.append(key.fingerprint)
    raise UnsafeChange(
        f"{host.name} has another host key than the one given: {', '.join(offered)}",
        "Read the fingerprint at the server's console: ssh-keygen -lf "
        "/etc/ssh/ssh_host_ed25519_key.pub. If it differs, somebody stands in between: stop.",
    )


def _remember(host: Host, settings: Settings, key: HostKey) -> None:
    path = known_hosts(settings)
    with locked(path.with_name(f".{path.name}.lock")):  # servers are prepared side by side
        others = [
            f"{name} {other_key.kind} {other_key.blob}"
            for name, other_key in _read(path)
            if name != host.name
        ]
        lines = [*others, f"{host.name} {key.kind} {key.blob}"]
        replace_file(path, "".join(f"{line}\n" for line in lines).encode())


def _read(path: Path) -> list[tuple[str, HostKey]]:
    return parse(path.read_text(encoding="utf-8")) if path.exists() else []
