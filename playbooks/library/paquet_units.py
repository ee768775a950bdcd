#!/usr/bin/python
"""Enable, start, restart and reload systemd units in one call, each only when it is due."""

from __future__ import annotations

from ansible.module_utils import paquet_systemd, paquet_task

DOCUMENTATION = """
module: paquet_units
short_description: systemd units in one call, restarted when their files changed
description:
  - A unit is restarted or reloaded when the digest of the files it reads is not the one kept at its
    last success in C(/var/lib/paquet/units). A run that is killed therefore loses no restart.
  - systemd is told to read changed unit files first, once.
  - Check mode does not foresee restarts for files that it did not write.
options:
  units:
    description: The units.
    type: list
    elements: dict
    required: true
    suboptions:
      name: {type: str, required: true, description: Full unit name, e.g. nginx.service.}
      enabled: {type: bool, description: Whether it starts at boot; not given means as it is.}
      state: {type: str, choices: [started, stopped], description: Not given means as it is.}
      restart_on: {type: list, elements: str, default: [],
                   description: Paths and globs whose change needs a restart.}
      reload_on: {type: list, elements: str, default: [],
                  description: Paths and globs whose change needs a reload.}
      gone: {type: bool, default: false,
             description: "The files are gone for good: it hears so once, then they are forgotten."}
  stamps:
    description: Folder of the digests.
    type: path
    default: /var/lib/paquet/units
  reread:
    description: Units of this pattern are read again when their files are newer, listed or not.
    type: str
    default: paquet-*
"""
RETURN = """
actions:
  description: What was, or in check mode would be, done to which unit.
  type: dict
  returned: always
"""


def main() -> None:
    paquet_task.run(paquet_systemd)


if __name__ == "__main__":
    main()
