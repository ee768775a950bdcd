"""Bring one bundle's Nextcloud to its wanted state, in one start of PHP; settle its units last.

The database must stand, a copy of the template. Runs as the Unix user of the bundle, secrets go
over standard input. `system` are values of config.php, `secret_system` more of them; `device` is
the first one, which is enrolled. Users that are not listed are switched off, never deleted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.module_utils import paquet_systemd
from ansible.module_utils.paquet_paths import Refused
from ansible.module_utils.paquet_php import TREES, PhpFailed, in_sandbox, settle

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
    **paquet_systemd.SETTLED,
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


def bring(params: dict[str, Any], *, check: bool) -> dict[str, Any]:
    """Settle configuration, users and device, then the units."""
    if check and not Path(params["home"], "config").is_dir():
        return {"changed": True, "changes": ["everything"]}
    try:
        changes = settle(in_sandbox(params["bundle"]), wanted_state(params, check=check))
        units = paquet_systemd.settle(params, check=check)
    except (PhpFailed, Refused, OSError) as failed:
        raise Refused(f"Nextcloud of {params['bundle']}: {failed}") from failed
    after = "".join(f"{change}\n" for change in changes)
    return {
        "changed": bool(changes) or units["changed"],
        "changes": changes,
        "actions": units["actions"],
        "diff": [{"before": "", "after": after}, *units["diff"]],
    }
