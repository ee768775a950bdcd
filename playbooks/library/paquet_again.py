#!/usr/bin/python
"""Look in one call whether roles still stand as their last visit left them."""

from __future__ import annotations

from typing import Any

from ansible.module_utils import paquet_calls
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.paquet_kinds import KINDS
from ansible.module_utils.paquet_paths import Refused

DOCUMENTATION = """
module: paquet_again
short_description: Whether roles still stand as their last visit left them
description:
  - Asks each module, in check mode, what it was asked when its role was last visited.
  - Changes nothing, and foresees what the roles themselves would.
options:
  roles: {type: list, elements: str, required: true, description: Names of roles.}
"""
RETURN = """
paquet:
  description: Under C(same), the roles that stand as they were left. The others do not, or were
    never visited whole.
  type: dict
  returned: always
"""
ARGUMENTS = {"roles": {"type": "list", "elements": "str", "required": True}}


def stands(role: str) -> bool:
    """Whether no module would change anything; one that cannot say so would."""
    calls = paquet_calls.read(role)
    return bool(calls) and not any(_would_change(name, params) for name, params in calls)


def _would_change(name: str, params: dict[str, Any]) -> bool:
    try:
        return bool(KINDS[name].bring(params, check=True)["changed"])
    except (Refused, OSError, LookupError, TypeError, ValueError):
        return True


def main() -> None:
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    same = [role for role in module.params["roles"] if stands(role)]
    module.exit_json(changed=False, paquet={"same": same})


if __name__ == "__main__":
    main()
