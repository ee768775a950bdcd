#!/usr/bin/python
"""Install Debian packages in one transaction and repair what a killed one left."""

from __future__ import annotations

from ansible.module_utils import paquet_packages, paquet_task

DOCUMENTATION = """
module: paquet_packages
short_description: Debian packages in one transaction
description:
  - One question to dpkg tells what is missing or half installed; with nothing to do, nothing else
    runs. A transaction that was killed is finished first.
  - One call works at a time; who comes meanwhile waits, and finds its work.
  - Recommended packages are not installed and configuration files that were changed are kept.
  - C(PAQUET_INSTALLS) is set for the maintainer scripts. The policy of the role packages reads it
    and lets new daemons wait until their role has configured them.
options:
  names: {type: list, elements: str, required: true, description: Names of real packages.}
  policy: {type: str, description: Text of C(/usr/sbin/policy-rc.d), written before all else.}
  patience: {type: int, default: 300, description: Seconds to wait for another apt.}
"""
RETURN = """
installed:
  description: The packages that were, or in check mode would be, installed.
  type: list
  returned: always
repaired:
  description: Whether an interrupted transaction had, or in check mode has, to be finished.
  type: bool
  returned: always
"""


def main() -> None:
    paquet_task.run(paquet_packages)


if __name__ == "__main__":
    main()
