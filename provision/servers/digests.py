"""What a role would bring to a server, as one number: equal numbers need no visit.

A digest covers the role's files, what roles share, and every variable and secret of the play: a
role may use any of them. It cannot see what somebody changed on the server: a drift run does.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING

import yaml

from provision.errors import PaquetError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from provision.servers.play import Play

ENGINES = ("ansible-core", "paquet")
INCLUDED = re.compile(r"(?:include|import)_role:\s+name: (\w+)")
SHARED = ("library", "module_utils", "filter_plugins")


def roles_of(playbook: Path, groups: frozenset[str]) -> list[str]:
    """Return the roles that the playbook file gives to a host of `groups`, in their order.

    Format: docs.ansible.com, playbook keywords: plays with `hosts` and `roles`.
    """
    plays = yaml.safe_load(playbook.read_text(encoding="utf-8"))
    wanted = groups | {"all"}
    return [
        _role_name(entry, playbook)
        for play in plays
        if wanted & set(str(play.get("hosts", "")).replace(",", ":").split(":"))
        for entry in play.get("roles", [])
    ]


def modules_digest(playbooks: Path) -> str:
    """Return the digest of all that Ansible packs modules from, itself and this Python included."""
    whole = hashlib.sha256(sys.version.encode())
    _add_engines(whole)
    for folder in sorted(playbooks.rglob("library")) + [playbooks / name for name in SHARED]:
        _add_folder(whole, folder)
    return whole.hexdigest()


def role_digests(playbook: Path, play: Play, roles: Iterable[str]) -> dict[str, str]:
    """Return the digest of each of `roles` as `play` would bring it."""
    folder = playbook.parent
    shared = hashlib.sha256(playbook.read_bytes())
    _add_engines(shared)
    for path in [folder / name for name in SHARED] + sorted(folder.glob("roles/*/defaults")):
        _add_folder(shared, path)
    shared.update(_describe(play).encode())
    digests = {}
    for role in roles:
        whole = shared.copy()
        for name in [role, *_included(folder / "roles" / role)]:
            _add_folder(whole, folder / "roles" / name)
        digests[role] = whole.hexdigest()
    return digests


def _describe(play: Play) -> str:
    """Return all that the play is given; the digest of a secret reveals none."""
    secrets = {name: secret.get_secret_value() for name, secret in play.secrets.items()}
    hosts = [[host.name, host.user, sorted(host.groups), host.variables] for host in play.hosts]
    return json.dumps([play.variables, secrets, hosts], sort_keys=True, default=str)


def _add_engines(whole: hashlib._Hash) -> None:
    for name in ENGINES:
        whole.update(f"{name} {version(name)}\n".encode())


def _included(role: Path) -> list[str]:
    """Return the roles whose tasks `role` runs, as far as they are named: not in a template."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(role.glob("tasks/*.yml"))]
    return [name for text in texts for name in INCLUDED.findall(text)]


def _add_folder(whole: hashlib._Hash, folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            content = path.read_bytes()
            whole.update(f"{path.relative_to(folder)} {len(content)}\n".encode() + content)


def _role_name(entry: object, playbook: Path) -> str:
    if isinstance(entry, Mapping):
        entry = entry.get("role", entry.get("name"))
    if isinstance(entry, str):
        return entry
    raise PaquetError(f"{playbook} names a role that cannot be read", "Install paquet again.")
