#!/usr/bin/python
"""Back one bundle up now."""

from __future__ import annotations

import json
import subprocess

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: paquet_backup
short_description: One snapshot of one bundle, now
description: Runs C(/usr/local/lib/paquet/backup), which makes the repository when there is none.
options:
  name: {type: str, required: true, description: Bundle.}
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
    "program": {"type": "path", "default": "/usr/local/lib/paquet/backup"},
}


def main() -> None:
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    if module.check_mode:
        module.exit_json(changed=True, paquet={})
    command = [module.params["program"], module.params["name"]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        module.fail_json(msg=f"the backup failed: {done.stderr.strip()[-2000:]}")
    module.exit_json(changed=True, paquet={"backup": json.loads(done.stdout)})


if __name__ == "__main__":
    main()
