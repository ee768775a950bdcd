#!/usr/bin/python
"""Back one bundle up: now, or only if it never was."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: paquet_backup
short_description: One snapshot of one bundle
description: Runs C(/usr/local/lib/paquet/backup), which makes the repository when there is none.
options:
  name: {type: str, required: true, description: Bundle.}
  state:
    type: str
    default: new
    choices: [new, present]
    description: C(new) makes a snapshot now, C(present) when there is none.
  program: {type: path, default: /usr/local/lib/paquet/backup, description: The program.}
  told:
    type: path
    default: /var/lib/paquet/backup
    description: Where the program keeps what it told, as NAME/last.json.
"""
RETURN = """
paquet:
  description: Under C(backup), the snapshot, its files, bytes and seconds.
  type: dict
  returned: success
"""
ARGUMENTS = {
    "name": {"required": True},
    "state": {"default": "new", "choices": ["new", "present"]},
    "program": {"type": "path", "default": "/usr/local/lib/paquet/backup"},
    "told": {"type": "path", "default": "/var/lib/paquet/backup"},
}


class Failed(Exception):
    """A program said no."""


def run(*command: str) -> str:
    """Run a program to its good end and return what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"the backup failed: {done.stderr.strip()[-2000:]}")
    return done.stdout


def last(params: dict[str, Any]) -> dict[str, Any] | None:
    """Return what the program told of the last snapshot, None before the first."""
    try:
        told = Path(params["told"], params["name"], "last.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    return dict(json.loads(told))


def bring(params: dict[str, Any]) -> tuple[bool, dict[str, Any]]:
    """Bring the bundle to the wanted state; return whether it changed, and what was told."""
    if params["state"] == "present" and (told := last(params)):
        return False, {"backup": told}
    return True, {"backup": json.loads(run(params["program"], params["name"]))}


def main() -> None:
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    if module.check_mode:
        module.exit_json(changed=module.params["state"] == "new", paquet={})
    try:
        changed, told = bring(module.params)
    except Failed as failed:
        module.fail_json(msg=str(failed))
    module.exit_json(changed=changed, paquet=told)


if __name__ == "__main__":
    main()
