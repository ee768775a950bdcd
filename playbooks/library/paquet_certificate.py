#!/usr/bin/python
"""Have the server's certificate program see that certificates stand and are good."""

from __future__ import annotations

import json
import subprocess

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: paquet_certificate
short_description: Certificates that the role certificates describes
description: Runs C(/usr/local/lib/paquet/certificate ensure) and tells what it says.
options:
  names: {type: list, elements: str, required: true,
          description: Names of descriptions in C(/etc/paquet/certificates.d).}
  required: {type: bool, default: false,
             description: Whether to fail when the authority gives none; else a placeholder stays.}
  wait: {type: bool, default: true,
         description: Else they are asked for and come later; until then a placeholder stands.}
  program: {type: path, default: /usr/local/lib/paquet/certificate, description: The program.}
"""
RETURN = """
paquet:
  description: For each name under C(certificates), C(state) (good, placeholder, asked) and
    C(problem).
  type: dict
  returned: always
"""
ARGUMENTS = {
    "names": {"type": "list", "elements": "str", "required": True},
    "required": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "program": {"type": "path", "default": "/usr/local/lib/paquet/certificate"},
}


def main() -> None:
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    command = [module.params["program"], "ensure", *module.params["names"]]
    command += ["--check"] if module.check_mode else []
    command += [] if module.params["wait"] else ["--later"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as absent:
        if module.check_mode:
            module.exit_json(changed=True, paquet={})
        module.fail_json(msg=str(absent))
    if done.returncode:
        module.fail_json(msg=done.stderr.strip().splitlines()[-1:])
    told = json.loads(done.stdout)
    problems = [f"{name}: {one['problem']}" for name, one in told.items() if one["problem"]]
    changed = any(one["changed"] for one in told.values())
    if problems and module.params["required"]:
        module.fail_json(msg="no certificate for " + "; ".join(problems), changed=changed)
    for problem in problems:
        module.warn(f"no certificate yet for {problem}")
    module.exit_json(changed=changed, paquet={"certificates": told})


if __name__ == "__main__":
    main()
