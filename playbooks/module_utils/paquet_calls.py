"""What the modules were called with when a role was last visited: the whole can be asked again.

A file per role: the number of the visit, then a call per line. Secrets are kept as digests. Only a
visit of paquet's own says in its environment which one it is: what is done by hand is not kept.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible.module_utils.paquet_alone import alone
from ansible.module_utils.paquet_paths import PathEntry, place, write

if TYPE_CHECKING:
    from types import ModuleType

KEPT = Path("/var/lib/paquet/calls")
VISIT = "PAQUET_VISIT"  # ROLE NUMBER


def keep(kind: ModuleType, params: dict[str, Any]) -> None:
    """Keep a call of the visit that the environment names, in place of those of older visits."""
    role, _, number = os.environ.get(VISIT, "").partition(" ")
    if not number:
        return
    name = kind.__name__.rpartition(".")[2].removeprefix("paquet_")
    line, path = json.dumps([name, _without_secrets(params)]), KEPT / role
    with alone("calls"):
        KEPT.mkdir(mode=0o700, exist_ok=True)
        known = _lines(path)
        known = known if known[:1] == [number] else [number]
        if line not in known:
            _write(path, [*known, line])


def read(role: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the calls of a role's last visit: kind and arguments; none if one cannot be read."""
    try:
        return [tuple(json.loads(line)) for line in _lines(KEPT / role)[1:]]
    except ValueError:
        return []


def _write(path: Path, lines: list[str]) -> None:
    content = "".join(f"{line}\n" for line in lines).encode()
    with place(str(path)) as spot:
        write(spot, PathEntry("file", 0o600, os.geteuid(), os.getegid(), content))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


def _without_secrets(params: dict[str, Any]) -> dict[str, Any]:
    return (
        {**params, "items": [_hidden(item) for item in params["items"]]}
        if "items" in params
        else params
    )


def _hidden(item: dict[str, Any]) -> dict[str, Any]:
    if not item.get("secret") or item["content"] is None:
        return item
    content = item["content"].encode("utf-8", "surrogateescape")
    return {**item, "content": None, "sha256": hashlib.sha256(content).hexdigest()}
