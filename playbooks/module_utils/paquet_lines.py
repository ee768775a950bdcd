"""Keep single lines of files that several bundles share."""

from __future__ import annotations

import grp
import pwd
from typing import Any

from ansible.module_utils.paquet_paths import PathEntry, Refused, look, place, write
from ansible.module_utils.paquet_systemd import SETTLED, UNIT, settle

ITEM = {
    "path": {"type": "path", "required": True},
    "beginning": {"required": True, "no_log": False},
    "line": {"no_log": False},
    "owner": {"default": "root"},
    "group": {"default": "root"},
    "mode": {"default": "0644"},
}
ARGUMENTS = {
    "items": {"type": "list", "elements": "dict", "required": True, "options": ITEM},
    "units": {"type": "list", "elements": "dict", "default": [], "options": UNIT},
    **SETTLED,
}


def with_line(text: str, beginning: str, line: str | None) -> str:
    """Given a text, return it with `line` where the line with this beginning was, or at the end."""
    lines = text.splitlines()
    numbers = [number for number, standing in enumerate(lines) if standing.startswith(beginning)]
    kept = [standing for standing in lines if not standing.startswith(beginning)]
    if line is not None:
        kept.insert(numbers[0] if numbers else len(kept), line)
    return "".join(f"{kept_line}\n" for kept_line in kept)


def keep(item: dict[str, Any], *, check: bool) -> dict[str, str] | None:
    """Bring one line to its wanted state; return the difference, or None."""
    line, beginning = item["line"], item["beginning"]
    if line is not None and (not line.startswith(beginning) or "\n" in line):
        raise Refused(f"{item['path']}: the line is not one line with its beginning")
    with place(item["path"]) as spot:
        standing = look(spot) if spot else None
        text = standing.content.decode() if standing else ""
        wanted = _entry(item, with_line(text, beginning, line).encode())
        if standing == wanted or (standing is None and line is None):
            return None
        if spot is None and not check:
            raise Refused(f"{item['path']}: its folder does not exist")
        if spot and not check:
            write(spot, wanted)
    return {"before": text, "after": wanted.content.decode(), "after_header": item["path"]}


def _entry(item: dict[str, Any], content: bytes) -> PathEntry:
    try:
        owner = pwd.getpwnam(item["owner"]).pw_uid
        group = grp.getgrnam(item["group"]).gr_gid
    except KeyError:
        raise Refused(f"{item['path']}: its owner or group does not exist") from None
    return PathEntry("file", int(item["mode"], 8), owner, group, content)


def bring(params: dict[str, Any], *, check: bool) -> dict[str, Any]:
    """Keep all lines, then settle the units that read them."""
    differences = [keep(item, check=check) for item in params["items"]]
    units = settle(params, check=check)
    diffs = [diff for diff in differences if diff]
    return {
        "changed": bool(diffs) or units["changed"],
        "changed_paths": [diff["after_header"] for diff in diffs],
        "actions": units["actions"],
        "diff": [*diffs, *(units["diff"] if units["changed"] else [])],
    }
