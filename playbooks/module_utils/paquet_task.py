"""Be a module of Ansible: arguments in, a result or a refusal out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.paquet_paths import Refused

if TYPE_CHECKING:
    from collections.abc import Callable


def run(arguments: dict[str, Any], bring: Callable[..., dict[str, Any]]) -> None:
    """Bring what the arguments want, once they are as `arguments` describes them, and say so.

    `bring` takes them and whether this is check mode, and returns Ansible's result.
    """
    module = AnsibleModule(arguments, supports_check_mode=True)
    try:
        result = bring(module.params, check=module.check_mode)
    except (Refused, OSError) as refused:
        module.fail_json(msg=str(refused), **getattr(refused, "told", {}))
    module.exit_json(**result)
