"""Make the secret of one device a login of its Nextcloud (enrol), or end it (revoke).

The secret that we chose becomes an app password; the id of the device ends its name. After a
revocation PHP forgets what it remembered, else the secret would work ten seconds more.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from ansible.module_utils.paquet_paths import Refused
from ansible.module_utils.paquet_php import PhpFailed, in_sandbox, settle

ARGUMENTS = {
    "bundle": {"required": True},
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


def bring(params: dict[str, Any], *, check: bool) -> dict[str, Any]:
    """Enrol or revoke the device in the version that its bundle runs."""
    bundle = params["bundle"]
    try:
        wanted = {"tree": tree_of(bundle), "dry_run": check}
        device = {name: params[name] for name in DEVICE}
        changes = settle(in_sandbox(bundle), {**wanted, "device": device})
        if changes and params["action"] == "revoke" and not check:
            forget(bundle)
    except (PhpFailed, OSError, KeyError, subprocess.CalledProcessError) as failed:
        raise Refused(f"device {params['id']} of {bundle}: {failed}") from failed
    return {"changed": bool(changes), "changes": changes}
