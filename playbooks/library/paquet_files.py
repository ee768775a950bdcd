#!/usr/bin/python
"""Bring files, directories and links to their wanted state in one call."""

from __future__ import annotations

from ansible.module_utils import paquet_files, paquet_task

DOCUMENTATION = """
module: paquet_files
short_description: Files, directories and links in one call
description:
  - Each file is written beside, validated, flushed and renamed, so that a killed run leaves the
    old file or the new one, never half of one.
  - Parents are not made, list them first. Links on the way that root did not make are refused.
options:
  items:
    description: What shall stand where, in this order.
    type: list
    elements: dict
    required: true
    suboptions:
      path: {type: path, required: true, description: Absolute path.}
      state: {type: str, default: file, choices: [file, directory, link, absent],
              description: What shall stand there; absent removes a whole directory.}
      content: {type: str, description: Text of a file. Without it a missing file is made empty.}
      sha256: {type: str, description: Digest of the text in its place; for a look alone.}
      owner: {type: str, default: root, description: Name or number.}
      group: {type: str, default: root, description: Name or number.}
      mode: {type: str, description: Octal; 0644 for files and 0755 for directories.}
      target: {type: str, description: Where a link points.}
      validate: {type: list, elements: str,
                 description: Command that judges the new file; %s is its path.}
      replace: {type: bool, default: true, description: False keeps the text of a standing file.}
      secret: {type: bool, default: false, description: Its text is in no result and no diff.}
  verify:
    description: Commands that judge the whole after a change; if one fails all files go back.
    type: list
    elements: list
    default: []
  users:
    description: The Unix users who own the files; settled first. Remove one after its files.
    type: list
    elements: dict
    default: []
    suboptions:
      name: {type: str, required: true, description: Login.}
      state: {type: str, default: present, choices: [present, absent],
              description: Absent takes it away with its own group; its files stay.}
      group: {type: str, description: Main group, made when missing; the login when not given.}
      home: {type: path, default: /nonexistent, description: Home folder, never made here.}
      shell: {type: path, default: /usr/sbin/nologin, description: Shell.}
      system: {type: bool, default: true, description: Whether its number is a system one.}
      groups: {type: list, elements: str, default: [], description: Groups to be in besides.}
      gecos: {type: str, default: "", description: Full name.}
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
  description: The paths that were, or in check mode would be, changed.
  type: list
  returned: always
actions:
  description: What was, or in check mode would be, done to which unit.
  type: dict
  returned: success
"""


def main() -> None:
    paquet_task.run(paquet_files)


if __name__ == "__main__":
    main()
