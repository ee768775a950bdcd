"""Lets a play find the modules that an earlier play has packed."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from ansible import constants
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: paquet_module_store
type: aggregate
short_description: Packed modules are kept between two plays
description:
  - Ansible packs a module with all that it imports when a play first uses it, which takes a third
    of a second each, and forgets it with the play. Its folder of packed modules becomes a link to
    the folder that C(PAQUET_MODULE_STORE) names, when there is one.
  - Whoever sets it names another folder for other modules or another Ansible.
"""
PACKED = "ansiballz_cache"  # ansible-core 2.19, executor/module_common.py


class CallbackModule(CallbackBase):  # type: ignore[misc] # Ansible ships no types
    """Puts the link there before the first task."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "paquet_module_store"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_start(self, playbook: object) -> None:  # noqa: ARG002 -- Ansible's signature
        """Link the store; without it modules are packed as ever."""
        store = os.environ.get("PAQUET_MODULE_STORE")
        if store:
            with contextlib.suppress(OSError):
                Path(constants.DEFAULT_LOCAL_TMP, PACKED).symlink_to(store)
