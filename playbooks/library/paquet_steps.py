#!/usr/bin/python
"""Do several things in one remote call, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.paquet_kinds import KINDS
from ansible.module_utils.paquet_paths import Refused

if TYPE_CHECKING:
    from types import ModuleType

DOCUMENTATION = """
module: paquet_steps
short_description: Several steps in one remote call
description:
  - A step is one of our modules, or what only steps do, with its arguments, which the file of its
    name in C(module_utils) describes. They are done in their order; the first that fails ends all.
  - Arguments are in no result; what a step marks as secret is in no message either.
options:
  steps:
    description: C(name), and one of the kinds in C(paquet_kinds.py) with its arguments.
    type: list
    elements: dict
    required: true
"""
RETURN = """
changed_steps:
  description: The names of the steps that changed something, or in check mode would.
  type: list
  returned: always
paquet:
  description: Facts for the controller, of all steps.
  type: dict
  returned: success
"""
ARGUMENTS = {"steps": {"type": "list", "elements": "dict", "required": True}}


class StepsRun:
    """What the steps did so far, and what none of their words may show."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.changed: list[str] = []
        self.diffs: list[dict[str, str]] = []
        self.facts: dict[str, Any] = {}

    def do(self, step: dict[str, Any]) -> None:
        """Do one step. Raises Refused with its name and its reason."""
        name, kind, arguments = _taken(step)
        try:
            result = kind.bring(self._checked(kind, arguments), check=self.module.check_mode)
        except (Refused, OSError) as refused:
            if getattr(refused, "told", {}).get("changed"):
                self.changed.append(name)
            raise Refused(f"{name}: {refused}") from refused
        if result["changed"]:
            self.changed.append(name)
            diff = result.get("diff", [])
            self.diffs += diff if isinstance(diff, list) else [diff]
        self.facts.update(result.get("paquet", {}))
        for warning in result.get("warnings", []):
            self.module.warn(warning)

    def _checked(self, kind: ModuleType, arguments: dict[str, Any]) -> dict[str, Any]:
        read = ArgumentSpecValidator(kind.ARGUMENTS).validate(arguments)
        self.module.no_log_values.update(read._no_log_values)  # noqa: SLF001 (AnsibleModule's way)
        if read.error_messages:
            raise Refused("; ".join(read.error_messages))
        return read.validated_parameters


def _taken(step: dict[str, Any]) -> tuple[str, ModuleType, dict[str, Any]]:
    kinds = [word for word in step if word in KINDS]
    if len(kinds) != 1 or set(step) != {"name", *kinds}:
        raise Refused(f"a step has a name and one of {', '.join(KINDS)}: {', '.join(step)}")
    return step["name"], KINDS[kinds[0]], step[kinds[0]]


def main() -> None:
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    steps, module.params["steps"] = module.params["steps"], []  # Ansible would return them
    run = StepsRun(module)
    try:
        for step in steps:
            run.do(step)
    except Refused as refused:
        module.fail_json(msg=str(refused), changed=bool(run.changed), changed_steps=run.changed)
    module.exit_json(
        changed=bool(run.changed),
        changed_steps=run.changed,
        diff=run.diffs,
        paquet=run.facts,
    )


if __name__ == "__main__":
    main()
