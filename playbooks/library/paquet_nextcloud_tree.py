#!/usr/bin/python
"""Unpack the code of one Nextcloud version, shared and read-only."""

from __future__ import annotations

from ansible.module_utils import paquet_nextcloud_tree, paquet_task

DOCUMENTATION = """
module: paquet_nextcloud_tree
short_description: The code of one Nextcloud version, unpacked from a verified archive
description:
  - The archive is verified by its digest on the server again, unpacked beside, and put in place by
    one rename. The digest stays in the tree; a tree of the same digest is left alone.
  - A repackaged archive may lack a font without which no user can be made; the one of Debian's
    fonts-dejavu-core then stands in.
  - When the tree is not there and the archive neither, C(needed) is true and nothing fails, so that
    the archive is only sent to servers that need it.
options:
  version: {type: str, required: true, description: Version such as 31.0.2.}
  sha256: {type: str, required: true, description: Digest of the archive.}
  archive: {type: path, required: true, description: Where the archive is put on the server.}
  trees: {type: path, default: /usr/share/paquet/nextcloud, description: All versions.}
"""
RETURN = """
needed:
  description: Whether the archive has to be sent first.
  type: bool
  returned: always
"""


def main() -> None:
    paquet_task.run(paquet_nextcloud_tree)


if __name__ == "__main__":
    main()
