"""Be a module of Ansible: arguments in, a result or a refusal out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible.module_utils import paquet_calls
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.paquet_paths import Refused

if TYPE_CHECKING:
    from types import ModuleType


def run(kind: ModuleType) -> None:
    """Bring what the arguments want, once they are as kind.ARGUMENTS describes them, and say so.

    kind.bring takes them and whether this is check mode, and returns Ansible's result.
    """
    module = AnsibleModule(kind.ARGUMENTS, supports_check_mode=True)
    if not module.check_mode:
        paquet_calls.keep(kind, module.params)
    try:
        result = kind.bring(module.params, check=module.check_mode)
    except (Refused, OSError) as refused:
        module.fail_json(msg=str(refused), **getattr(refused, "told", {}))
    module.exit_json(**result)
