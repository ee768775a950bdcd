"""Unix users: the commands that lead from what stands to what is wanted."""

from __future__ import annotations

import grp
import pwd
import subprocess
from typing import Any

from ansible.module_utils.paquet_paths import Refused

USER = {
    "name": {"required": True},
    "state": {"default": "present", "choices": ["present", "absent"]},
    "group": {},
    "home": {"type": "path", "default": "/nonexistent"},
    "shell": {"type": "path", "default": "/usr/sbin/nologin"},
    "system": {"type": "bool", "default": True},
    "groups": {"type": "list", "elements": "str", "default": []},
    "gecos": {"default": ""},
}


def settle_users(users: list[dict[str, Any]], *, check: bool) -> list[dict[str, Any]]:
    """Bring users to their wanted state; return those that changed, with the commands."""
    changed = []
    for user in users:
        commands = commands_for(user)
        if commands:
            changed.append({"user": user["name"], "commands": commands})
        for command in [] if check else commands:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise Refused(f"{' '.join(command)}: {done.stderr.strip()}")
    return changed


def show_users(changed: list[dict[str, Any]]) -> dict[str, str]:
    """Return what changed as a difference."""
    told = "".join(f"{' '.join(command)}\n" for user in changed for command in user["commands"])
    return {"before": "", "after": told}


def commands_for(user: dict[str, Any]) -> list[list[str]]:
    """Given a wanted user, return the commands that lead from what stands to it."""
    group = user["group"] or user["name"]
    if user["state"] == "absent":
        return _removal(user["name"], group)
    system = ["--system"] if user["system"] else []
    commands = [] if _group(group) else [["groupadd", *system, group]]
    try:
        standing = pwd.getpwnam(user["name"])
    except KeyError:
        return [*commands, ["useradd", *system, "--no-create-home", *_wishes(user, group)]]
    if _is_as_wanted(standing, user, group):
        return commands
    return [*commands, ["usermod", "--append", *_wishes(user, group)]]


def _removal(name: str, group: str) -> list[list[str]]:
    """Return what takes a user away, whose own group goes along (login.defs, USERGROUPS_ENAB)."""
    if not _missing(name):
        return [["userdel", name]]
    return [["groupdel", group]] if _group(group) else []


def _wishes(user: dict[str, Any], group: str) -> list[str]:
    return [
        *("--gid", group),
        *("--home-dir" if _missing(user["name"]) else "--home", user["home"]),
        *("--shell", user["shell"]),
        *("--comment", user["gecos"]),
        *("--groups", ",".join(user["groups"])),
        user["name"],
    ]


def _missing(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return True
    return False


def _group(name: str) -> grp.struct_group | None:
    try:
        return grp.getgrnam(name)
    except KeyError:
        return None


def _is_as_wanted(standing: pwd.struct_passwd, user: dict[str, Any], group: str) -> bool:
    main = _group(group)
    inside = {other.gr_name for other in grp.getgrall() if user["name"] in other.gr_mem}
    wanted = (user["home"], user["shell"], user["gecos"])
    stands = (standing.pw_dir, standing.pw_shell, standing.pw_gecos)
    same_group = main is not None and main.gr_gid == standing.pw_gid
    return stands == wanted and same_group and inside.issuperset(user["groups"])
