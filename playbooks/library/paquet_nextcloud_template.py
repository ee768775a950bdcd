#!/usr/bin/python
"""Prepare the database that new Nextcloud bundles of one version are copied from."""

from __future__ import annotations

from ansible.module_utils import paquet_nextcloud_template, paquet_task

DOCUMENTATION = """
module: paquet_nextcloud_template
short_description: An installed, empty Nextcloud database per version, to be copied
description:
  - Installing takes ten seconds, copying one. The database is built under the name of its user and
    renamed when it is complete, so that a killed run leaves no half template.
  - One is built at a time; who comes meanwhile waits, and finds it.
  - What belongs to the one installation (files, sessions, the administrator's password) is taken
    out; instance id, salt and secret are only in the configuration, which is not copied.
options:
  version: {type: str, required: true, description: Version such as 31.0.2.}
  name: {type: str, required: true, description: Name of the template database.}
  role: {type: str, required: true, description: Unix user and role that installs.}
  folder: {type: path, required: true, description: Where it works; emptied before and after.}
  admin: {type: str, required: true, description: Login of the administrator in each bundle.}
  apps: {type: dict, default: {}, description: Settings by app that each bundle begins with.}
  without: {type: list, elements: str, default: [], description: Apps that are switched off.}
  trees: {type: path, default: /usr/share/paquet/nextcloud, description: Folder of all versions.}
  user: {type: str, default: postgres, description: Unix user and role of the superuser.}
  socket: {type: path, default: /run/postgresql, description: Folder of the socket.}
  port: {type: int, default: 5432, description: Port in the socket's name.}
"""
RETURN = """
name:
  description: The template database.
  type: str
  returned: always
"""


def main() -> None:
    paquet_task.run(paquet_nextcloud_template)


if __name__ == "__main__":
    main()
