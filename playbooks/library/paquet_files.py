#!/usr/bin/python
"""Bring files, directories and links to their wanted state in one call."""

from __future__ import annotations

import grp
import os
import pwd
import subprocess
from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.paquet_paths import (
    Entry,
    Refused,
    look,
    make_link,
    own,
    place,
    write,
)
from ansible.module_utils.paquet_systemd import STAMPS, UNIT, settle
from ansible.module_utils.paquet_users import USER, settle_users, show_users

if TYPE_CHECKING:
    from collections.abc import Callable

    from ansible.module_utils.paquet_paths import Place

DOCUMENTATION = """
module: paquet_files
short_description: Files, directories and links in one call
description:
  - Each file is written beside, validated, flushed and renamed, so that a killed run leaves the
    old file or the new one, never half of one.
  - Parents are not made, list them first. Links on the way that root did not make are refused.
options:
  items:
    description: What shall stand where, in this order.
    type: list
    elements: dict
    required: true
    suboptions:
      path: {type: path, required: true, description: Absolute path.}
      state: {type: str, default: file, choices: [file, directory, link, absent],
              description: What shall stand there; absent removes a whole directory.}
      content: {type: str, description: Text of a file. Without it a missing file is made empty.}
      owner: {type: str, default: root, description: Name or number.}
      group: {type: str, default: root, description: Name or number.}
      mode: {type: str, description: Octal; 0644 for files and 0755 for directories.}
      target: {type: str, description: Where a link points.}
      validate: {type: list, elements: str,
                 description: Command that judges the new file; %s is its path.}
      replace: {type: bool, default: true, description: False keeps the text of a standing file.}
      secret: {type: bool, default: false, description: Its text is in no result and no diff.}
  verify:
    description: Commands that judge the whole after a change; if one fails all files go back.
    type: list
    elements: list
    default: []
  users:
    description: The Unix users who own the files; settled first. Remove one after its files.
    type: list
    elements: dict
    default: []
    suboptions:
      name: {type: str, required: true, description: Login.}
      state: {type: str, default: present, choices: [present, absent],
              description: Absent takes it away with its own group; its files stay.}
      group: {type: str, description: Main group, made when missing; the login when not given.}
      home: {type: path, default: /nonexistent, description: Home folder, never made here.}
      shell: {type: path, default: /usr/sbin/nologin, description: Shell.}
      system: {type: bool, default: true, description: Whether its number is a system one.}
      groups: {type: list, elements: str, default: [], description: Groups to be in besides.}
      gecos: {type: str, default: "", description: Full name.}
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
  description: The paths that were, or in check mode would be, changed.
  type: list
  returned: always
actions:
  description: What was, or in check mode would be, done to which unit.
  type: dict
  returned: success
"""
ITEM = {
    "path": {"type": "path", "required": True},
    "state": {"default": "file", "choices": ["file", "directory", "link", "absent"]},
    "content": {"type": "str"},
    "owner": {"default": "root"},
    "group": {"default": "root"},
    "mode": {"type": "str"},
    "target": {"type": "str"},
    "validate": {"type": "list", "elements": "str"},
    "replace": {"type": "bool", "default": True},
    "secret": {"type": "bool", "default": False},
}
ARGUMENTS = {
    "items": {"type": "list", "elements": "dict", "required": True, "options": ITEM},
    "verify": {"type": "list", "elements": "list", "default": []},
    "users": {"type": "list", "elements": "dict", "default": [], "options": USER},
    "units": {"type": "list", "elements": "dict", "default": [], "options": UNIT},
    "stamps": {"type": "path", "default": STAMPS},
}
UNKNOWN = -1
DEFAULT_MODES = {"file": "0644", "directory": "0755"}
SHOWN = 100_000
UNIT_FILES = "/etc/systemd/system/"


def wanted_entry(item: dict[str, Any], standing: Entry | None) -> Entry | None:
    """Given an item and the Entry that stands there, return the wanted Entry (None: absent)."""
    kind = item["state"]
    if kind == "absent":
        return None
    if kind == "link":
        return Entry("link", 0o777, 0, 0, target=item["target"] or "")
    owner, group = _number(pwd.getpwnam, item["owner"]), _number(grp.getgrnam, item["group"])
    mode = int(item["mode"] or DEFAULT_MODES[kind], 8)
    return Entry(kind, mode, owner, group, content=_content(item, standing))


def _content(item: dict[str, Any], standing: Entry | None) -> bytes:
    stands = standing is not None and standing.kind == "file"
    if item["state"] != "file":
        return b""
    if stands and (item["content"] is None or not item["replace"]):
        return standing.content
    return (item["content"] or "").encode("utf-8", "surrogateescape")


def _number(find: Callable[[str], Any], name: str) -> int:
    if name.isdigit():
        return int(name)
    try:
        return find(name)[2]
    except KeyError:
        return UNKNOWN


def differs(standing: Entry | None, wanted: Entry | None) -> bool:
    """Whether what stands is not what is wanted; a link's owner and mode mean nothing."""
    if standing is None or wanted is None:
        return standing is not wanted
    if standing.kind == wanted.kind == "link":
        return standing.target != wanted.target
    return standing != wanted


def put(
    spot: Place, standing: Entry | None, wanted: Entry | None, validate: list[str] | None
) -> None:
    """Make `wanted` stand at `spot`."""
    _refuse_impossible(spot, standing, wanted)
    if wanted is None:
        _remove(spot, standing)
    elif wanted.kind == "link":
        make_link(spot, wanted.target)
    elif wanted.kind == "directory":
        if standing is None:
            os.mkdir(spot.name, 0o700, dir_fd=spot.folder)
        own(spot, wanted)
    elif standing and standing.kind == "file" and standing.content == wanted.content:
        own(spot, wanted)
    else:
        write(spot, wanted, lambda path: _validate(spot.path, path, validate))


def _refuse_impossible(spot: Place, standing: Entry | None, wanted: Entry | None) -> None:
    if wanted is None:
        return
    if UNKNOWN in (wanted.owner, wanted.group):
        raise Refused(f"{spot.path}: its owner or group does not exist")
    kinds = {standing.kind if standing else wanted.kind, wanted.kind}
    if len(kinds) > 1 and "directory" in kinds:
        raise Refused(f"{spot.path} is a {standing.kind}, a {wanted.kind} is wanted")


def _remove(spot: Place, standing: Entry) -> None:
    if standing.kind == "directory":
        # Python opens one folder per level, so that whoever nests thousands could not be removed.
        words = ["/bin/rm", "--recursive", "--force", "--", f"./{spot.name}"]
        _judge(words, f"{spot.path} was not removed", folder=spot.folder)
    else:
        os.unlink(spot.name, dir_fd=spot.folder)


def _validate(path: str, new: str, command: list[str] | None) -> None:
    if command:
        _judge([word.replace("%s", new) for word in command], f"{path} was refused")


def _judge(command: list[str], complaint: str, *, folder: int | None = None) -> None:
    """Run a command, inside an open folder if one is given. Raises Refused when it fails."""
    here = None if folder is None else f"/proc/{os.getpid()}/fd/{folder}"
    judged = subprocess.run(command, capture_output=True, text=True, check=False, cwd=here)
    if judged.returncode:
        said = (judged.stderr + judged.stdout).strip()
        raise Refused(f"{complaint} by {' '.join(command)}: {said}")


class Work:
    """One run over all items: what changed, how to show it, how to undo it."""

    def __init__(self, *, check: bool) -> None:
        self.check = check
        self.diffs: list[dict[str, str]] = []
        self.undo: list[tuple[str, Entry | None, Entry | None]] = []

    def apply(self, item: dict[str, Any]) -> None:
        with place(item["path"]) as spot:
            standing = look(spot) if spot else None
            wanted = wanted_entry(item, standing)
            if not differs(standing, wanted):
                return
            self.diffs.append(_difference(item, standing, wanted))
            if self.check:
                return
            if spot is None:
                raise Refused(f"{item['path']}: its folder does not exist")
            put(spot, standing, wanted, item["validate"])
            self.undo.append((item["path"], standing, wanted))

    def verify(self, commands: list[list[str]]) -> None:
        try:
            for command in commands:
                _judge(command, "the new files were refused")
        except (Refused, OSError):
            for path, standing, wanted in reversed(self.undo):
                _put_back(path, standing, wanted)
            raise


def _put_back(path: str, standing: Entry | None, wanted: Entry | None) -> None:
    kind = (standing or wanted).kind
    if kind == "directory":
        return
    with place(path) as spot:
        put(spot, look(spot), standing, None)


def _difference(
    item: dict[str, Any], standing: Entry | None, wanted: Entry | None
) -> dict[str, str]:
    return {
        "before_header": item["path"],
        "after_header": item["path"],
        "before": _show(standing, secret=item["secret"]),
        "after": _show(wanted, secret=item["secret"]),
    }


def _show(entry: Entry | None, *, secret: bool) -> str:
    if entry is None:
        return "(absent)\n"
    head = f"({entry.kind} {entry.owner}:{entry.group} {entry.mode:04o})\n"
    if entry.kind == "link":
        return f"(link to {entry.target})\n"
    return head + ("(secret)\n" if secret else entry.content[:SHOWN].decode("utf-8", "replace"))


def take(params: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments, and blot out in `params`, which Ansible returns, what is secret."""
    taken = {**params, "items": [dict(item) for item in params["items"]]}
    for item in params["items"]:
        if item["secret"]:
            item["content"] = "(secret)"
    return taken


def main() -> None:
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    work, params = Work(check=module.check_mode), take(module.params)
    try:
        users = settle_users(params["users"], check=module.check_mode)
        for item in params["items"]:
            work.apply(item)
        if work.undo:
            work.verify(params["verify"])
        laid = any(path.startswith(UNIT_FILES) for path, _, _ in work.undo)
        units = settle(params["units"], params["stamps"], check=module.check_mode, laid=laid)
    except (Refused, OSError) as refused:
        module.fail_json(msg=str(refused), changed=bool(work.undo))
    changed = [shown["after_header"] for shown in work.diffs]
    shown = [show_users(users)] if users else []
    module.exit_json(
        changed=bool(users or changed) or units["changed"],
        changed_paths=changed,
        actions=units["actions"],
        diff=[*shown, *work.diffs, *(units["diff"] if units["changed"] else [])],
    )


if __name__ == "__main__":
    main()
