#!/usr/bin/python
"""Make the secret of one device a login of its Nextcloud, or end it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.paquet_nextcloud import TREES, PhpFailed, in_sandbox, settle

DOCUMENTATION = """
module: paquet_nextcloud_device
short_description: One device secret of one Nextcloud user, enrolled or revoked
description:
  - The secret that we chose becomes an app password; the id of the device ends its name.
  - After a revocation PHP forgets what it remembered, else the secret would work ten seconds more.
options:
  bundle: {type: str, required: true, description: Name of the bundle, its Unix user.}
  version: {type: str, description: Version; not given means as the bundle runs.}
  action: {type: str, required: true, choices: [enrol, revoke], description: What to do.}
  id: {type: str, required: true, description: Id of the device.}
  name: {type: str, required: true, description: Its name, shown to the user.}
  address: {type: str, required: true, description: Login of its user.}
  secret: {type: str, description: The secret, needed to enrol.}
"""
RETURN = """
changes:
  description: What was, or in check mode would be, changed.
  type: list
  returned: always
"""
ARGUMENTS = {
    "bundle": {"required": True},
    "version": {},
    "action": {"required": True, "choices": ["enrol", "revoke"]},
    "id": {"required": True},
    "name": {"required": True},
    "address": {"required": True},
    "secret": {"no_log": True},
}
DEVICE = ("action", "id", "name", "address", "secret")
SYSTEMCTL = "/usr/bin/systemctl"
ENVIRONMENT = "/etc/paquet/nextcloud/bundles"


def tree_of(bundle: str) -> str:
    """Return the tree that the bundle runs, as its units know it (PAQUET_TREE=...)."""
    lines = Path(ENVIRONMENT, f"{bundle}.env").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)["PAQUET_TREE"]


def forget(bundle: str) -> None:
    """Let PHP begin anew after what it answers now; what does not run remembers nothing."""
    unit = f"paquet-php@{bundle}.service"
    running = subprocess.run([SYSTEMCTL, "is-active", "--quiet", unit], check=False)
    if running.returncode == 0:
        subprocess.run([SYSTEMCTL, "reload", unit], check=True, capture_output=True)


def main() -> None:
    module = AnsibleModule(
        ARGUMENTS, supports_check_mode=True, required_if=[("action", "enrol", ["secret"])]
    )
    params = module.params
    bundle = params["bundle"]
    try:
        version = params["version"]
        tree = f"{TREES}/{version}" if version else tree_of(bundle)
        device = {name: params[name] for name in DEVICE}
        wanted = {"tree": tree, "dry_run": module.check_mode, "device": device}
        changes = settle(in_sandbox(bundle), wanted)
        if changes and params["action"] == "revoke" and not module.check_mode:
            forget(bundle)
    except (PhpFailed, OSError, KeyError, subprocess.CalledProcessError) as failed:
        module.fail_json(msg=f"device {params['id']} of {bundle}: {failed}")
    module.exit_json(changed=bool(changes), changes=changes)


if __name__ == "__main__":
    main()
