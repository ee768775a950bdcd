#!/usr/bin/python
"""Make the key and the first users of the Redis that the Nextclouds of a server share."""

from __future__ import annotations

import grp
import os
import pwd
import secrets
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.paquet_cache import ADMIN, KEY_FILE, digest_of, password_of, read_key
from ansible.module_utils.paquet_paths import Entry, Refused, look, place, write

DOCUMENTATION = """
module: paquet_nextcloud_cache
short_description: Key and first users of the shared Redis
description:
  - The key is made on the server once and never leaves it. The list of users begins with an
    administrator and nobody else; Redis itself adds the bundles.
options:
  key: {type: path, default: /var/lib/paquet/nextcloud-cache.key, description: The key.}
  users: {type: path, required: true, description: The list of users (aclfile) of Redis.}
  owner: {type: str, default: redis, description: Unix user and group of Redis.}
"""
RETURN = """
changed:
  description: Whether the key or the list was made.
  type: bool
  returned: always
"""
ARGUMENTS = {
    "key": {"type": "path", "default": KEY_FILE},
    "users": {"type": "path", "required": True},
    "owner": {"default": "redis"},
}


def make(path: str, content: str, owner: int, group: int) -> None:
    """Write a private file."""
    with place(path) as spot:
        if spot is None:
            raise Refused(f"{path}: its folder does not exist")
        write(spot, Entry("file", 0o600, owner, group, content=content.encode()))


def missing(path: str) -> bool:
    """Whether nothing stands at `path`."""
    with place(path) as spot:
        return spot is None or look(spot) is None


def settle(wanted: dict[str, Any]) -> None:
    """Make what is missing; a new key makes a new list, since the old passwords are gone."""
    new_key = missing(wanted["key"])
    if new_key:
        make(wanted["key"], secrets.token_hex(32) + "\n", os.geteuid(), os.getegid())
    if new_key or missing(wanted["users"]):
        admin = digest_of(password_of(ADMIN, read_key(wanted["key"])))
        users = f"user default off resetchannels -@all\nuser {ADMIN} on {admin} ~* &* +@all\n"
        owner = pwd.getpwnam(wanted["owner"]).pw_uid
        make(wanted["users"], users, owner, grp.getgrnam(wanted["owner"]).gr_gid)


def main() -> None:
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    wanted = module.params
    try:
        changed = missing(wanted["key"]) or missing(wanted["users"])
        if changed and not module.check_mode:
            settle(wanted)
    except (Refused, OSError, KeyError) as refused:
        module.fail_json(msg=str(refused))
    module.exit_json(changed=changed)


if __name__ == "__main__":
    main()
