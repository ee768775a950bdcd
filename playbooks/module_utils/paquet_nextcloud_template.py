"""Prepare the database that new Nextcloud bundles of one version are copied from."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
from pathlib import Path
from typing import Any

from ansible.module_utils.paquet_alone import alone
from ansible.module_utils.paquet_paths import Refused
from ansible.module_utils.paquet_php import TREES, PhpFailed, as_template, run_php, settle
from ansible.module_utils.paquet_postgres import MISSING, WHERE, connected, psycopg, sql

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


def bring(params: dict[str, Any], *, check: bool) -> dict[str, Any]:
    """Build the template unless it stands; check mode may come before psycopg is there."""
    name = params["name"]
    if psycopg is None and check:
        return {"changed": True, "name": name}
    if psycopg is None:
        raise Refused(MISSING)
    template = Template(params)
    try:
        with alone("nextcloud-template"):
            stands = name in template.databases()
            if not stands and not check:
                template.build()
    except (PhpFailed, OSError, psycopg.Error) as failed:
        told = f"the template of Nextcloud {params['version']}: {failed}"
        raise Refused(told) from failed
    return {"changed": not stands, "name": name}
