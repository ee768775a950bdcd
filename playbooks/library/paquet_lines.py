#!/usr/bin/python
"""Keep single lines of files that several bundles share."""

from __future__ import annotations

from ansible.module_utils import paquet_lines, paquet_task

DOCUMENTATION = """
module: paquet_lines
short_description: One line per owner in a shared file
description:
  - A line is known by its beginning. The others stay as they are, in their order.
  - The file is made when missing and replaced in one step.
options:
  items:
    description: The lines.
    type: list
    elements: dict
    required: true
    suboptions:
      path: {type: path, required: true, description: The file.}
      beginning: {type: str, required: true, description: What no other line begins with.}
      line: {type: str, description: The whole line; without it the line is removed.}
      owner: {type: str, default: root, description: Owner of the file.}
      group: {type: str, default: root, description: Group of the file.}
      mode: {type: str, default: "0644", description: Mode of the file.}
  units:
    description: The systemd units that read the files, as of the module paquet_units; settled last.
    type: list
    elements: dict
    default: []
  stamps:
    description: Folder of the units' digests.
    type: path
    default: /var/lib/paquet/units
  reread:
    description: Units of this pattern are read again when their files are newer, listed or not.
    type: str
    default: paquet-*
"""
RETURN = """
changed_paths:
  description: The files that were, or in check mode would be, changed.
  type: list
  returned: always
actions:
  description: What was, or in check mode would be, done to which unit.
  type: dict
  returned: success
"""


def main() -> None:
    paquet_task.run(paquet_lines)


if __name__ == "__main__":
    main()
