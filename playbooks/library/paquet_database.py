#!/usr/bin/python
"""PostgreSQL roles, databases and their schemas in one call."""

from __future__ import annotations

from ansible.module_utils import paquet_database, paquet_task

DOCUMENTATION = """
module: paquet_database
short_description: PostgreSQL roles and databases over the local socket
description:
  - Roles have no password, the server knows them by their Unix user (peer).
  - Every database is closed to PUBLIC; its owner and C(connect) may enter.
  - A schema is text that may run twice. It runs in one transaction when its digest is not the one
    kept as the comment of the database. It names the schema of all that is not in pg_catalog.
  - A database has no settings: those that its owner makes would be the superuser's too.
options:
  roles:
    description: Login roles.
    type: list
    elements: dict
    default: []
    suboptions:
      name: {type: str, required: true, description: Name, the same as the Unix user's.}
      state: {type: str, default: present, choices: [present, absent],
              description: Absent takes it away, after the databases.}
      connection_limit: {type: int, default: -1, description: Connections at once, -1 for no limit.}
      settings: {type: dict, default: {}, description: Settings such as statement_timeout.}
  databases:
    description: Databases.
    type: list
    elements: dict
    default: []
    suboptions:
      name: {type: str, required: true, description: Name.}
      state: {type: str, default: present, choices: [present, absent],
              description: Absent takes it away with all it holds, whoever is in it.}
      owner: {type: str, default: postgres, description: Role that owns it.}
      template: {type: str, default: template0, description: Database that it is a copy of.}
      reassign: {type: str, description: Role in the copy whose objects shall be the owner's.}
      connect: {type: list, elements: str, default: [], description: Roles that may enter too.}
      is_template: {type: bool, default: false, description: Whether it is kept for copies.}
      schema: {type: str, description: SQL that may run twice, run as the superuser.}
  user: {type: str, default: postgres, description: Unix user and role to act as.}
  socket: {type: path, default: /run/postgresql, description: Folder of the socket.}
  port: {type: int, default: 5432, description: Port in the socket's name.}
"""
RETURN = """
actions:
  description: What was, or in check mode would be, done.
  type: list
  returned: always
"""


def main() -> None:
    paquet_task.run(paquet_database)


if __name__ == "__main__":
    main()
