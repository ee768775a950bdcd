"""The one encoder of what goes to Ansible: text of people never becomes a template.

Ansible executes `{{ lookup("pipe", "id") }}` in extra vars, inventories and variable files; it
does not when the JSON says `{"__ansible_unsafe": "…"}` (seen with ansible-core 2.19).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.servers.inventory import HOST

if TYPE_CHECKING:
    from typing import TypeAlias

    Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None

UNSAFE = "__ansible_unsafe"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}", re.ASCII)


class CannotEncode(PaquetError):
    """A value that must not, or cannot, be handed to Ansible."""


def encode(variables: Mapping[str, object]) -> str:
    """Given variables, return JSON in which every string is wrapped as unsafe.

    Keys must be plain names, at every depth: Ansible reads some keys as code. Raises CannotEncode
    for other keys, for secrets (they travel in the secrets file), and for text that is no Unicode.
    """
    return json.dumps(_wrap(variables), allow_nan=False, indent=2)


def _wrap(value: object) -> Json:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        return {UNSAFE: _checked(value)}
    if isinstance(value, Mapping):
        return {_checked_name(key): _wrap(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_wrap(item) for item in value]
    raise CannotEncode(f"A {type(value).__name__} cannot be a variable of a play")


def _checked(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise CannotEncode("A text holds half a character (a lone surrogate)") from None
    return str(text)


def _checked_name(key: object) -> str:
    if isinstance(key, str) and NAME.fullmatch(key):
        return key
    raise CannotEncode(f"{key!r} cannot be the name of a variable")


def encode_inventory(
    hosts: Mapping[str, Mapping[str, object]], groups: Mapping[str, Sequence[str]]
) -> str:
    """Given variables by host and hosts by group, return an inventory in JSON for Ansible.

    Every value is wrapped as unsafe; host and group names must be names. Raises CannotEncode.
    """
    children = {
        _checked_name(group): {"hosts": {_checked_host(name): None for name in names}}
        for group, names in groups.items()
    }
    wrapped = {_checked_host(name): _wrap(variables) for name, variables in hosts.items()}
    return json.dumps({"all": {"hosts": wrapped, "children": children}}, allow_nan=False)


def _checked_host(name: str) -> str:
    if HOST.fullmatch(name):
        return name
    raise CannotEncode(f"{name!r} cannot be the name of a server")
