#!/usr/bin/python
"""Take one bundle out of the Redis that the Nextclouds of a server share."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.paquet_cache import Cache, CacheFailed, numbers, read_key

DOCUMENTATION = """
module: paquet_nextcloud_leave
short_description: End the place of one bundle in the shared Redis
description:
  - What the bundle kept there goes first, then its user, so that whoever gets the number of its
    database next finds it empty.
options:
  bundle: {type: str, required: true, description: Name of the bundle.}
"""
RETURN = """
changed:
  description: Whether it had a place.
  type: bool
  returned: always
"""


def leave(cache: Cache, bundle: str, *, check: bool) -> bool:
    """Empty the database of `bundle` and remove its user; return whether there was one."""
    number = numbers(list(cache.say("ACL", "LIST") or ())).get(bundle)
    if number is None:
        return False
    if not check:
        cache.say("SELECT", str(number))
        cache.say("FLUSHDB")
        cache.say("ACL", "DELUSER", bundle)
        cache.say("ACL", "SAVE")
    return True


def main() -> None:
    module = AnsibleModule({"bundle": {"required": True}}, supports_check_mode=True)
    try:
        cache = Cache(read_key())
        try:
            changed = leave(cache, module.params["bundle"], check=module.check_mode)
        finally:
            cache.close()
    except (CacheFailed, OSError) as failed:
        module.fail_json(msg=f"the cache of Nextcloud: {failed}")
    module.exit_json(changed=changed)


if __name__ == "__main__":
    main()
