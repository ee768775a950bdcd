#!/usr/bin/python
"""Prepare the database that new Nextcloud bundles of one version are copied from."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.paquet_alone import alone
from ansible.module_utils.paquet_php import TREES, PhpFailed, as_template, run_php, settle
from ansible.module_utils.paquet_postgres import MISSING, WHERE, connected, psycopg, sql

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
ARGUMENTS = {
    "version": {"required": True},
    "name": {"required": True},
    "role": {"required": True},
    "folder": {"type": "path", "required": True},
    "admin": {"required": True},
    "apps": {"type": "dict", "default": {}},
    "without": {"type": "list", "elements": "str", "default": []},
    "trees": {"type": "path", "default": TREES},
    **WHERE,
}
# What belongs to one installation; a copy makes its own at the first visit.
FORGET = """
delete from public.oc_authtoken; delete from public.oc_filecache; delete from public.oc_storages;
delete from public.oc_mounts; delete from public.oc_filecache_extended;
delete from public.oc_activity; delete from public.oc_notifications;
update public.oc_users set password = '';
"""
OURS = "select datname from pg_database where datname in (%s, %s)"


class Template:
    """The building of one template database."""

    def __init__(self, params: dict[str, Any]) -> None:
        self.wanted = params
        self.where = {name: params[name] for name in WHERE}

    def databases(self) -> set[str]:
        with connected("postgres", self.where) as connection:
            names = [self.wanted["name"], self.wanted["role"]]
            return {row[0] for row in connection.execute(OURS, names)}

    def build(self) -> None:
        role, folder = self.wanted["role"], self.wanted["folder"]
        self._superuser("drop database if exists {}", role)
        self._superuser("create database {} owner {} template template0", role, role)
        self._empty(folder)
        self._install(folder)
        with connected(role, self.where) as connection:
            connection.execute(FORGET)
        self._superuser("alter database {} owner to {}", role, self.where["user"])
        self._superuser("revoke all on database {} from public", role)
        self._superuser("alter database {} rename to {}", role, self.wanted["name"])
        self._superuser("alter database {} is_template true", self.wanted["name"])
        shutil.rmtree(folder)

    def _superuser(self, statement: str, *names: str) -> None:
        with connected("postgres", self.where, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _empty(self, folder: str) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        known = pwd.getpwnam(self.wanted["role"])
        for path in (folder, f"{folder}/config", f"{folder}/data"):
            Path(path).mkdir(0o700)
            os.chown(path, known.pw_uid, known.pw_gid)

    def _install(self, folder: str) -> None:
        tree = f"{self.wanted['trees']}/{self.wanted['version']}"
        role = self.wanted["role"]
        options = {
            "dbtype": "pgsql",
            "dbuser": role,
            "dbpass": "",
            "dbname": role,
            "dbhost": self.where["socket"],
            "adminlogin": self.wanted["admin"],
            "adminpass": secrets.token_urlsafe(32) + "aA1!",
            "directory": f"{folder}/data",
            "trusted_domains": ["localhost"],
        }
        system = {"appstoreenabled": False, "skeletondirectory": "", "updatechecker": False}
        given = {"tree": tree, "system": system, "options": options}
        runner = as_template(role, f"{folder}/config")
        run_php("paquet-nextcloud-install.php", runner, given)
        settled = {"tree": tree, "apps": self.wanted["apps"], "without": self.wanted["without"]}
        settle(runner, settled)


def main() -> None:
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    name = module.params["name"]
    if psycopg is None:
        if module.check_mode:
            module.exit_json(changed=True, name=name)
        module.fail_json(msg=MISSING)
    template = Template(module.params)
    try:
        with alone("nextcloud-template"):
            stands = name in template.databases()
            if not stands and not module.check_mode:
                template.build()
    except (PhpFailed, OSError, psycopg.Error) as failed:
        module.fail_json(msg=f"the template of Nextcloud {module.params['version']}: {failed}")
    module.exit_json(changed=not stands, name=name)


if __name__ == "__main__":
    main()
