#!/usr/bin/python
"""Hand facts about the server to whoever runs the playbook."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: paquet_report
short_description: Facts for the controller
description: Changes nothing; the runner collects the result key C(paquet) of every task.
options:
  facts: {type: dict, required: true, description: What to hand over. Never a secret.}
"""
RETURN = """
paquet:
  description: The facts.
  type: dict
  returned: always
"""


def main() -> None:
    arguments = {"facts": {"type": "dict", "required": True}}
    module = AnsibleModule(arguments, supports_check_mode=True)
    module.exit_json(changed=False, paquet=module.params["facts"])


if __name__ == "__main__":
    main()
