#!/usr/bin/python
"""Keep single lines of files that several bundles share."""

from __future__ import annotations

import grp
import pwd
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.paquet_paths import Entry, Refused, look, place, write
from ansible.module_utils.paquet_systemd import STAMPS, UNIT, settle

DOCUMENTATION = """
module: paquet_lines
short_description: One line per owner in a shared file
description:
  - A line is known by its beginning. The others stay as they are, in their order.
  - The file is made when missing and replaced in one step.
options:
  items:
    description: The lines.
    type: list
    elements: dict
    required: true
    suboptions:
      path: {type: path, required: true, description: The file.}
      beginning: {type: str, required: true, description: What no other line begins with.}
      line: {type: str, description: The whole line; without it the line is removed.}
      owner: {type: str, default: root, description: Owner of the file.}
      group: {type: str, default: root, description: Group of the file.}
      mode: {type: str, default: "0644", description: Mode of the file.}
  units:
    description: The systemd units that read the files, as of the module paquet_units; settled last.
    type: list
    elements: dict
    default: []
  stamps:
    description: Folder of the units' digests.
    type: path
    default: /var/lib/paquet/units
"""
RETURN = """
changed_paths:
  description: The files that were, or in check mode would be, changed.
  type: list
  returned: always
actions:
  description: What was, or in check mode would be, done to which unit.
  type: dict
  returned: success
"""
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
    "stamps": {"type": "path", "default": STAMPS},
}


def with_line(text: str, beginning: str, line: str | None) -> str:
    """Given a text, return it with `line` where the line with this beginning was, or at the end."""
    lines = text.splitlines()
    found = [number for number, one in enumerate(lines) if one.startswith(beginning)]
    kept = [one for one in lines if not one.startswith(beginning)]
    if line is not None:
        kept.insert(found[0] if found else len(kept), line)
    return "".join(f"{one}\n" for one in kept)


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


def _entry(item: dict[str, Any], content: bytes) -> Entry:
    try:
        owner = pwd.getpwnam(item["owner"]).pw_uid
        group = grp.getgrnam(item["group"]).gr_gid
    except KeyError:
        raise Refused(f"{item['path']}: its owner or group does not exist") from None
    return Entry("file", int(item["mode"], 8), owner, group, content)


def main() -> None:
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    try:
        found = [keep(item, check=module.check_mode) for item in module.params["items"]]
        units = settle(module.params["units"], module.params["stamps"], check=module.check_mode)
    except (Refused, OSError) as refused:
        module.fail_json(msg=str(refused))
    diffs = [one for one in found if one]
    changed = [one["after_header"] for one in diffs]
    module.exit_json(
        changed=bool(diffs) or units["changed"],
        changed_paths=changed,
        actions=units["actions"],
        diff=[*diffs, *(units["diff"] if units["changed"] else [])],
    )


if __name__ == "__main__":
    main()
