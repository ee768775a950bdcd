"""The inventory: a plain Ansible YAML file that `paquet` and ansible-playbook both read.

Format: docs.ansible.com, `ansible.builtin.yaml` inventory plugin: groups with `hosts`, `vars` and
`children`. Only plain values are read; a template is refused, never executed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from provision.errors import PaquetError
from provision.process.files import PUBLIC, replace_file

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUPS = ("bundles", "backup", "names")
ADMIN = "paquet"
SSH_PORT = 22
HOST = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:-]{0,252}")
USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
# What inventory.example holds, names and addresses of nobody (RFC 2606, RFC 5737).
OF_EXAMPLE = frozenset({"bundles1.example.org", "backup1.example.org", "192.0.2.10", "192.0.2.20"})


class InventoryWrong(PaquetError):
    """The inventory cannot be used as it is."""


@dataclass(frozen=True)
class Host:
    """One server of the inventory.

    `groups` holds every group that the host is in; `variables` the plain values that are not
    about the connection.
    """

    name: str
    address: str
    server_name: str
    port: int = SSH_PORT
    user: str = ADMIN
    key_file: Path | None = None
    groups: frozenset[str] = frozenset()
    variables: Mapping[str, object] = field(default_factory=dict, hash=False)


def read(path: Path) -> dict[str, Host]:
    """Return the hosts of the inventory at `path` by name, in the order of the file.

    Raises InventoryWrong with the first mistake; a machine of the example is one: it is nobody's.
    """
    hosts = {
        name: _make_host(name, groups, variables, path)
        for name, (groups, variables) in _gather(_load(path), path).items()
    }
    for host in hosts.values():
        if {"bundles", "backup"} <= host.groups:
            raise InventoryWrong(
                f"{path}: the host {host.name} is in the group bundles and in the group backup",
                "A backup belongs on another machine: give each group its own.",
            )
        if left := OF_EXAMPLE & {host.address, host.server_name}:
            raise InventoryWrong(
                f"{path}: {host.name} is still a machine of the example, {min(left)}",
                "Write your own servers there: what SSH connects to, and the name of each in DNS.",
            )
    return hosts


def find(path: Path, name: str) -> Host:
    """Return the host called `name`. Raises InventoryWrong, naming the hosts that there are."""
    hosts = read(path)
    if name in hosts:
        return hosts[name]
    known = ", ".join(hosts) or "none"
    raise InventoryWrong(
        f"There is no server called {name!r} in {path} (there are: {known})",
        f"Add it to {path}, or correct the name.",
    )


def members(hosts: Mapping[str, Host], group: str) -> list[Host]:
    """Return the hosts of `group`."""
    return [host for host in hosts.values() if group in host.groups]


def append(path: Path, host: Host) -> None:
    """Write `host` into the inventory at `path`, which is made when absent; the rest stays.

    Comments in the file are lost when it is rewritten. Raises InventoryWrong when the name is
    taken.
    """
    if path.exists() and host.name in read(path):
        raise InventoryWrong(f"{path} has a server called {host.name} already")
    tree = _load(path) if path.exists() else {}
    whole = dict(_mapping(tree.get("all"), "the group all", path))
    children = dict(_mapping(whole.get("children"), "the group all", path))
    for name in sorted(host.groups - {"all"}):
        group = _mapping(children.get(name), f"the group {name}", path)
        hosts = _mapping(group.get("hosts"), f"the group {name}", path)
        children[name] = {**group, "hosts": {**hosts, host.name: _describe(host)}}
    tree = {**tree, "all": {**whole, "children": children}}
    text = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)
    replace_file(path, text.encode(), PUBLIC)


def _describe(host: Host) -> dict[str, object]:
    described: dict[str, object] = {
        "ansible_host": host.address,
        "server_name": host.server_name,
        **host.variables,
    }
    if host.port != SSH_PORT:
        described["ansible_port"] = host.port
    if host.user != ADMIN:
        described["ansible_user"] = host.user
    if host.key_file is not None:
        described["ansible_ssh_private_key_file"] = str(host.key_file)
    return described


def _load(path: Path) -> Mapping[str, object]:
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InventoryWrong(
            f"There is no inventory at {path}",
            "Run `paquet init`, or copy inventory.example there and write your servers in it.",
        ) from None
    except (OSError, UnicodeDecodeError) as wrong:
        raise InventoryWrong(f"{path} cannot be read: {wrong}") from None
    except yaml.YAMLError as wrong:
        raise InventoryWrong(f"{path} is not YAML: {wrong}", "Mend that line of it.") from None
    if not isinstance(tree, dict) or not all(isinstance(key, str) for key in tree):
        raise InventoryWrong(f"{path} holds no groups", "Compare it with inventory.example.")
    return tree


def _gather(
    tree: Mapping[str, object], path: Path
) -> dict[str, tuple[set[str], dict[str, object]]]:
    """Return, for each host, its groups and its variables; deeper groups win, hosts win most."""
    inherited: dict[str, tuple[set[str], dict[str, object]]] = {}
    own: dict[str, dict[str, object]] = {}
    for groups, shared, hosts in _walk(tree, (), {}, path):
        for name, given in hosts.items():
            where = f"the host {name}"
            old_groups, old_shared = inherited.get(name, (set(), {}))
            inherited[name] = (old_groups | set(groups), {**old_shared, **shared})
            own.setdefault(name, {}).update(_mapping(given, where, path))
    return {name: (groups, {**old, **own[name]}) for name, (groups, old) in inherited.items()}


def _walk(
    tree: Mapping[str, object], above: tuple[str, ...], shared: Mapping[str, object], path: Path
) -> Iterator[tuple[tuple[str, ...], Mapping[str, object], Mapping[str, object]]]:
    for name, body in tree.items():
        where = f"the group {name}"
        group = _mapping(body, where, path)
        if unknown := set(group) - {"hosts", "vars", "children"}:
            raise InventoryWrong(
                f"{path}: {where} has {min(unknown)!r}, which Ansible does not know there",
                "A group has hosts, vars and children.",
            )
        variables = {**shared, **_mapping(group.get("vars"), where, path)}
        names = (*above, name)
        yield names, variables, _mapping(group.get("hosts"), where, path)
        yield from _walk(_mapping(group.get("children"), where, path), names, variables, path)


def _mapping(value: object, where: str, path: Path) -> Mapping[str, object]:
    if value is None:
        return {}
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return value
    raise InventoryWrong(
        f"{path}: {where} should hold names and values",
        "Mind the colons and the indentation; compare it with inventory.example.",
    )


def _make_host(name: str, groups: set[str], variables: Mapping[str, object], path: Path) -> Host:
    where = f"{path}: the host {name}"
    _refuse_templates(variables, where)
    given = dict(variables)
    address = _text(given.pop("ansible_host", name), "ansible_host", where)
    key_file = given.pop("ansible_ssh_private_key_file", None)
    return Host(
        name=_matching(HOST, name, "name", where),
        address=_matching(ADDRESS, address, "ansible_host", where),
        server_name=_matching(
            HOST, _text(given.pop("server_name", name), "server_name", where), "server_name", where
        ),
        port=_port(given.pop("ansible_port", SSH_PORT), where),
        user=_matching(
            USER,
            _text(given.pop("ansible_user", ADMIN), "ansible_user", where),
            "ansible_user",
            where,
        ),
        key_file=_key_file(key_file, path, where),
        groups=frozenset(groups),
        variables={key: item for key, item in given.items() if not key.startswith("ansible_")},
    )


def _key_file(value: object, path: Path, where: str) -> Path | None:
    if value is None:
        return None
    return path.parent / Path(_text(value, "ansible_ssh_private_key_file", where)).expanduser()


def _text(value: object, key: str, where: str) -> str:
    if isinstance(value, str):
        return value
    raise InventoryWrong(f"{where}: {key} should be a text, not {value!r}", "Put it in quotes.")


def _matching(pattern: re.Pattern[str], text: str, key: str, where: str) -> str:
    if pattern.fullmatch(text):
        return text
    raise InventoryWrong(f"{where}: {text!r} cannot be its {key}", "Use letters, digits, - and .")


def _port(value: object, where: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 16:
        return value
    raise InventoryWrong(f"{where}: {value!r} cannot be its ansible_port", "Use 1 to 65535.")


def _refuse_templates(value: object, where: str) -> None:
    if isinstance(value, str) and any(mark in value for mark in ("{{", "{%", "{#")):
        raise InventoryWrong(
            f"{where} has a template: {value!r}", "Paquet reads plain values only: write it out."
        )
    if isinstance(value, Mapping):
        for item in value.values():
            _refuse_templates(item, where)
    elif isinstance(value, list):
        for item in value:
            _refuse_templates(item, where)
