"""Bring files, directories and links to their wanted state in one call."""

from __future__ import annotations

import grp
import hashlib
import os
import pwd
import subprocess
from typing import TYPE_CHECKING, Any

from ansible.module_utils.paquet_paths import (
    PathEntry,
    Refused,
    look,
    make_link,
    own,
    place,
    write,
)
from ansible.module_utils.paquet_systemd import SETTLED, UNIT, settle
from ansible.module_utils.paquet_users import USER, settle_users, show_users

if TYPE_CHECKING:
    from collections.abc import Callable

    from ansible.module_utils.paquet_paths import Spot

ITEM = {
    "path": {"type": "path", "required": True},
    "state": {"default": "file", "choices": ["file", "directory", "link", "absent"]},
    "content": {"type": "str"},
    "sha256": {"type": "str"},
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
    **SETTLED,
}
UNKNOWN = -1
DEFAULT_MODES = {"file": "0644", "directory": "0755"}
SHOWN = 100_000
UNIT_FILES = "/etc/systemd/system/"


def wanted_entry(item: dict[str, Any], standing: PathEntry | None) -> PathEntry | None:
    """Given an item and the PathEntry that stands there, return the wanted one (None: absent)."""
    kind = item["state"]
    if kind == "absent":
        return None
    if kind == "link":
        return PathEntry("link", 0o777, 0, 0, target=item["target"] or "")
    owner, group = _number(pwd.getpwnam, item["owner"]), _number(grp.getgrnam, item["group"])
    mode = int(item["mode"] or DEFAULT_MODES[kind], 8)
    return PathEntry(kind, mode, owner, group, content=_content(item, standing))


def _content(item: dict[str, Any], standing: PathEntry | None) -> bytes:
    stands = standing is not None and standing.kind == "file"
    if item["state"] != "file":
        return b""
    if item.get("sha256"):
        same = stands and hashlib.sha256(standing.content).hexdigest() == item["sha256"]
        return standing.content if same else b"(another one)"
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


def differs(standing: PathEntry | None, wanted: PathEntry | None) -> bool:
    """Whether what stands is not what is wanted; a link's owner and mode mean nothing."""
    if standing is None or wanted is None:
        return standing is not wanted
    if standing.kind == wanted.kind == "link":
        return standing.target != wanted.target
    return standing != wanted


def put(
    spot: Spot, standing: PathEntry | None, wanted: PathEntry | None, validate: list[str] | None
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


def _refuse_impossible(spot: Spot, standing: PathEntry | None, wanted: PathEntry | None) -> None:
    if wanted is None:
        return
    if UNKNOWN in (wanted.owner, wanted.group):
        raise Refused(f"{spot.path}: its owner or group does not exist")
    kinds = {standing.kind if standing else wanted.kind, wanted.kind}
    if len(kinds) > 1 and "directory" in kinds:
        raise Refused(f"{spot.path} is a {standing.kind}, a {wanted.kind} is wanted")


def _remove(spot: Spot, standing: PathEntry) -> None:
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


class FilesRun:
    """One run over all items: what changed, how to show it, how to undo it."""

    def __init__(self, *, check: bool) -> None:
        self.check = check
        self.diffs: list[dict[str, str]] = []
        self.undo: list[tuple[str, PathEntry | None, PathEntry | None]] = []

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


def _put_back(path: str, standing: PathEntry | None, wanted: PathEntry | None) -> None:
    kind = (standing or wanted).kind
    if kind == "directory":
        return
    with place(path) as spot:
        put(spot, look(spot), standing, None)


def _difference(
    item: dict[str, Any], standing: PathEntry | None, wanted: PathEntry | None
) -> dict[str, str]:
    return {
        "before_header": item["path"],
        "after_header": item["path"],
        "before": _show(standing, secret=item["secret"]),
        "after": _show(wanted, secret=item["secret"]),
    }


def _show(entry: PathEntry | None, *, secret: bool) -> str:
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


def bring(params: dict[str, Any], *, check: bool) -> dict[str, Any]:
    """Settle the users, lay all items down, have them judged, settle the units."""
    run, params = FilesRun(check=check), take(params)
    try:
        users = settle_users(params["users"], check=check)
        for item in params["items"]:
            run.apply(item)
        if run.undo:
            run.verify(params["verify"])
        laid = any(path.startswith(UNIT_FILES) for path, _, _ in run.undo)
        units = settle(params, check=check, laid=laid)
    except (Refused, OSError) as refused:
        raise Refused(str(refused), changed=bool(run.undo)) from refused
    changed = [shown["after_header"] for shown in run.diffs]
    shown = [show_users(users)] if users else []
    return {
        "changed": bool(users or changed) or units["changed"],
        "changed_paths": changed,
        "actions": units["actions"],
        "diff": [*shown, *run.diffs, *(units["diff"] if units["changed"] else [])],
    }
