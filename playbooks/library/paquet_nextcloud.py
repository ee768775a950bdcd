#!/usr/bin/python
"""Bring one bundle's Nextcloud to its wanted state, in one start of PHP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.module_utils import paquet_systemd
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.paquet_nextcloud import TREES, PhpFailed, in_sandbox, settle
from ansible.module_utils.paquet_paths import Refused

DOCUMENTATION = """
module: paquet_nextcloud
short_description: Configuration, administrator, users and quotas of one Nextcloud
description:
  - The database must stand, a copy of the template. Runs as the Unix user of the bundle, secrets go
    over standard input.
  - Users that are not listed are switched off, never deleted.
options:
  bundle: {type: str, required: true, description: Name of the bundle, its Unix user.}
  version: {type: str, required: true, description: Version such as 31.0.2.}
  home: {type: path, required: true, description: Home of the bundle; configuration below.}
  system: {type: dict, required: true, description: Values of config.php.}
  secret_system: {type: dict, default: {}, description: More of them that nobody is told.}
  admin: {type: str, required: true, description: Login of the administrator.}
  admin_password: {type: str, required: true, description: Its password.}
  users: {type: list, elements: dict, required: true,
          description: Address, display_name and quota_bytes of each user.}
  device:
    description: The first device, which is enrolled.
    type: dict
    suboptions:
      id: {type: str, required: true, description: Its id.}
      name: {type: str, required: true, description: Its name, shown to the user.}
      address: {type: str, required: true, description: Login of its user.}
      secret: {type: str, required: true, description: Its secret.}
  units:
    description: The systemd units that serve it, as of the module paquet_units; settled last.
    type: list
    elements: dict
    default: []
  stamps:
    description: Folder of the units' digests.
    type: path
    default: /var/lib/paquet/units
"""
RETURN = """
changes:
  description: What was, or in check mode would be, changed.
  type: list
  returned: always
actions:
  description: What was, or in check mode would be, done to which unit.
  type: dict
  returned: success
"""
DEVICE = {
    "id": {"required": True},
    "name": {"required": True},
    "address": {"required": True},
    "secret": {"required": True, "no_log": True},
}
ARGUMENTS = {
    "bundle": {"required": True},
    "version": {"required": True},
    "home": {"type": "path", "required": True},
    "system": {"type": "dict", "required": True},
    "secret_system": {"type": "dict", "default": {}, "no_log": True},
    "admin": {"required": True},
    "admin_password": {"required": True, "no_log": True},
    "users": {"type": "list", "elements": "dict", "required": True},
    "device": {"type": "dict", "options": DEVICE},
    "units": {"type": "list", "elements": "dict", "default": [], "options": paquet_systemd.UNIT},
    "stamps": {"type": "path", "default": paquet_systemd.STAMPS},
}


def wanted_state(params: dict[str, Any], *, check: bool) -> dict[str, Any]:
    """Return the input of paquet-nextcloud.php."""
    first = {"device": {"action": "enrol", **params["device"]}} if params["device"] else {}
    return {
        "tree": f"{TREES}/{params['version']}",
        "dry_run": check,
        "system": {**params["system"], **params["secret_system"]},
        "admin": {"uid": params["admin"], "password": params["admin_password"]},
        "users": [
            {
                "address": user["address"],
                "display_name": user["display_name"],
                "quota": int(user["quota_bytes"]),
            }
            for user in params["users"]
        ],
        "prune": True,
        **first,
    }


def main() -> None:
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    params, check = module.params, module.check_mode
    if check and not Path(params["home"], "config").is_dir():
        module.exit_json(changed=True, changes=["everything"])
    try:
        wanted = wanted_state(params, check=check)
        changes = settle(in_sandbox(params["bundle"]), wanted)
        units = paquet_systemd.settle(params["units"], params["stamps"], check=check)
    except (PhpFailed, Refused, OSError) as failed:
        module.fail_json(msg=f"Nextcloud of {params['bundle']}: {failed}")
    after = "".join(f"{change}\n" for change in changes)
    diff = [{"before": "", "after": after}, *units["diff"]]
    changed = bool(changes) or units["changed"]
    module.exit_json(changed=changed, changes=changes, actions=units["actions"], diff=diff)


if __name__ == "__main__":
    main()
