#!/usr/bin/python
"""Unix users and their groups in one call."""

from __future__ import annotations

import grp
import pwd
import subprocess
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: paquet_users
short_description: Unix users with their group of the same name, in one call
description: Missing users are made, standing ones are brought to the wanted home, shell and groups.
options:
  users:
    description: The users.
    type: list
    elements: dict
    required: true
    suboptions:
      name: {type: str, required: true, description: Login.}
      group: {type: str, description: Main group, made when missing; the login when not given.}
      home: {type: path, default: /nonexistent, description: Home folder, never made here.}
      shell: {type: path, default: /usr/sbin/nologin, description: Shell.}
      system: {type: bool, default: true, description: Whether its number is a system one.}
      groups: {type: list, elements: str, default: [], description: Groups to be in besides.}
      gecos: {type: str, default: "", description: Full name.}
"""
RETURN = """
changed_users:
  description: The users that were made or changed.
  type: list
  returned: always
"""
USER = {
    "name": {"required": True},
    "group": {},
    "home": {"type": "path", "default": "/nonexistent"},
    "shell": {"type": "path", "default": "/usr/sbin/nologin"},
    "system": {"type": "bool", "default": True},
    "groups": {"type": "list", "elements": "str", "default": []},
    "gecos": {"default": ""},
}
ARGUMENTS = {"users": {"type": "list", "elements": "dict", "required": True, "options": USER}}


def commands_for(user: dict[str, Any]) -> list[list[str]]:
    """Given a wanted user, return the commands that lead from what stands to it."""
    group = user["group"] or user["name"]
    system = ["--system"] if user["system"] else []
    commands = [] if _group(group) else [["groupadd", *system, group]]
    try:
        standing = pwd.getpwnam(user["name"])
    except KeyError:
        return [*commands, ["useradd", *system, "--no-create-home", *_wishes(user, group)]]
    if _is_as_wanted(standing, user, group):
        return commands
    return [*commands, ["usermod", "--append", *_wishes(user, group)]]


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


def main() -> None:
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    changed = []
    for user in module.params["users"]:
        commands = commands_for(user)
        if commands:
            changed.append({"user": user["name"], "commands": commands})
        for command in [] if module.check_mode else commands:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                module.fail_json(msg=f"{' '.join(command)}: {done.stderr.strip()}")
    shown = "".join(f"{' '.join(command)}\n" for one in changed for command in one["commands"])
    module.exit_json(
        changed=bool(changed),
        changed_users=[one["user"] for one in changed],
        diff={"before": "", "after": shown},
    )


if __name__ == "__main__":
    main()
