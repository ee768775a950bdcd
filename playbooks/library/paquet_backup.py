#!/usr/bin/python
"""Back one bundle up: now, or only if it never was."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: paquet_backup
short_description: One snapshot of one bundle
description:
  - Sees that the backup server answers, then starts the unit of the nightly backup, with its
    fences and limits, which makes the repository when there is none. One that was under way
    already is waited for, then made anew.
options:
  name: {type: str, required: true, description: Bundle.}
  state:
    type: str
    default: new
    choices: [new, present]
    description: C(new) makes a snapshot now, C(present) when there is none.
  told:
    type: path
    default: /var/lib/paquet/backup
    description: Where the program keeps what it told, as NAME/last.json.
  program: {type: path, default: /usr/local/lib/paquet/backup, description: The program.}
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
    "told": {"type": "path", "default": "/var/lib/paquet/backup"},
    "program": {"type": "path", "default": "/usr/local/lib/paquet/backup"},
}


class Failed(Exception):
    """A program said no."""


def look(params: dict[str, Any]) -> None:
    """See that the backup server answers: the unit would try for a quarter of an hour, silently."""
    command = [params["program"], "--look", params["name"]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no reason")


def start(unit: str) -> None:
    """Start a unit and wait for its good end."""
    done = subprocess.run(["/usr/bin/systemctl", "start", unit], capture_output=True, check=False)
    if done.returncode:
        journal = ["/usr/bin/journalctl", "--output=cat", "--lines=15", f"_SYSTEMD_UNIT={unit}"]
        said = subprocess.run(journal, capture_output=True, text=True, check=False)
        raise Failed(f"the backup failed: {said.stdout.strip()[-2000:]}")


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
    look(params)
    asked, unit = time.time(), f"paquet-backup@{params['name']}.service"
    start(unit)
    told = last(params)
    if told and told["ended"] - told["seconds"] < asked - 1:
        start(unit)
        told = last(params)
    return True, {"backup": told}


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
