"""PostgreSQL roles, databases and their schemas in one call."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from ansible.module_utils.paquet_paths import Refused
from ansible.module_utils.paquet_postgres import MISSING, WHERE, connected, psycopg, sql

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

STATE = {"default": "present", "choices": ["present", "absent"]}
ROLE = {
    "name": {"required": True},
    "state": STATE,
    "connection_limit": {"type": "int", "default": -1},
    "settings": {"type": "dict", "default": {}},
}
DATABASE = {
    "name": {"required": True},
    "state": STATE,
    "owner": {"default": "postgres"},
    "template": {"default": "template0"},
    "reassign": {},
    "connect": {"type": "list", "elements": "str", "default": []},
    "is_template": {"type": "bool", "default": False},
    "schema": {"type": "str"},
}
ARGUMENTS = {
    "roles": {"type": "list", "elements": "dict", "default": [], "options": ROLE},
    "databases": {"type": "list", "elements": "dict", "default": [], "options": DATABASE},
    **WHERE,
}
# A database without access rules is open to PUBLIC (PostgreSQL, "Privileges").
STANDING = """
select pg_get_userbyid(datdba) as owner, datistemplate as template,
       shobj_description(oid, 'pg_database') as comment,
       datacl is null or exists (select from aclexplode(datacl) where grantee = 0) as open,
       array(select pg_get_userbyid(grantee)::text from aclexplode(datacl)
             where privilege_type = 'CONNECT' and grantee <> 0) as connect,
       exists (select from pg_db_role_setting where setdatabase = oid and setrole = 0) as settings
from pg_database where datname = %s
"""
OWNED = "select exists (select from pg_class where relowner = to_regrole(%s))"


class DatabaseRun:
    """One run: what is done over the connections it opens."""

    def __init__(self, params: dict[str, Any], *, check: bool) -> None:
        self.where = {name: params[name] for name in WHERE}
        self.check = check
        self.actions: list[str] = []

    def into(
        self, database: str, *, autocommit: bool = False
    ) -> AbstractContextManager[psycopg.Connection]:
        return connected(database, self.where, autocommit=autocommit)

    def do(self, connection: psycopg.Connection, statement: str, *names: str, said: str) -> None:
        """Execute `statement` with `names` put in as identifiers, unless this is a check."""
        self.actions.append(said)
        if not self.check:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def everything(self, connection: psycopg.Connection, params: dict[str, Any]) -> None:
        """Make roles before databases, and remove them after."""
        for role in params["roles"]:
            if role["state"] == "present":
                self.role(connection, role)
        for database in params["databases"]:
            if database["state"] == "present":
                self.database(connection, database)
            else:
                self.drop_database(connection, database["name"])
        for role in params["roles"]:
            if role["state"] == "absent":
                self.drop_role(connection, role["name"])

    def drop_database(self, connection: psycopg.Connection, name: str) -> None:
        standing = connection.execute(STANDING, [name]).fetchone()
        if standing is None:
            return
        if standing[1]:  # a template, which its owner may make of it, cannot be dropped
            self.do(connection, "alter database {} is_template false", name, said=f"free {name}")
        self.do(connection, "drop database {} with (force)", name, said=f"drop database {name}")

    def drop_role(self, connection: psycopg.Connection, name: str) -> None:
        query = "select from pg_roles where rolname = %s"
        if connection.execute(query, [name]).fetchone() is not None:
            self.do(connection, "drop role {}", name, said=f"drop role {name}")

    def role(self, connection: psycopg.Connection, role: dict[str, Any]) -> None:
        name, limit = role["name"], role["connection_limit"]
        query = "select rolconnlimit, rolconfig from pg_roles where rolname = %s"
        standing = connection.execute(query, [name]).fetchone()
        if standing is None:
            self.do(connection, "create role {} login", name, said=f"create role {name}")
        standing_limit, settings = standing or (-1, None)
        if standing_limit != limit:
            change = f"alter role {{}} connection limit {limit:d}"
            self.do(connection, change, name, said=f"limit role {name} to {limit}")
        kept = dict(entry.split("=", 1) for entry in settings or [])
        for setting, value in role["settings"].items():
            if kept.get(setting) != str(value):
                self._set(connection, name, setting, str(value))

    def _set(self, connection: psycopg.Connection, name: str, setting: str, value: str) -> None:
        self.actions.append(f"set {setting} of role {name}")
        if not self.check:
            change = sql.SQL("alter role {} set {} = {}")
            words = (sql.Identifier(name), sql.Identifier(setting), sql.Literal(value))
            connection.execute(change.format(*words))

    def database(self, connection: psycopg.Connection, wanted: dict[str, Any]) -> None:
        name, owner = wanted["name"], wanted["owner"]
        standing = connection.execute(STANDING, [name]).fetchone()
        if standing is None:
            create = "create database {} owner {} template {}"
            words = (name, owner, wanted["template"])
            self.do(connection, create, *words, said=f"create database {name}")
        assumed = (owner, False, None, True, [], False)
        standing_owner, template, comment, is_open, may, settings = standing or assumed
        if settings:
            self.do(connection, "alter database {} reset all", name, said=f"unset all of {name}")
        if standing_owner != owner:
            self.do(connection, "alter database {} owner to {}", name, owner, said=f"own {name}")
        if is_open:
            self.do(connection, "revoke all on database {} from public", name, said=f"close {name}")
        for role in set(wanted["connect"]) - set(may):
            grant = "grant connect on database {} to {}"
            self.do(connection, grant, name, role, said=f"let {role} into {name}")
        if template != wanted["is_template"]:
            keep = f"alter database {{}} is_template {wanted['is_template']}"
            self.do(connection, keep, name, said=f"keep {name} as a template")
        exists = standing is not None or not self.check
        self.inside(wanted, comment, exists=exists)

    def inside(self, wanted: dict[str, Any], comment: str | None, *, exists: bool) -> None:
        """Do what needs a connection to the database itself, and only then open one."""
        kept = _digest(wanted["schema"])
        due = wanted["schema"] is not None and comment != kept
        if not exists or not (due or wanted["reassign"]):
            self.actions += [f"write the schema of {wanted['name']}"] if due else []
            return
        with self.into(wanted["name"]) as connection:
            self._reassign(connection, wanted)
            if due:
                self._write_schema(connection, wanted, kept)

    def _reassign(self, connection: psycopg.Connection, wanted: dict[str, Any]) -> None:
        old = wanted["reassign"]
        if old and connection.execute(OWNED, [old]).fetchone()[0]:
            words = (old, wanted["owner"])
            told = f"hand {wanted['name']} to {wanted['owner']}"
            self.do(connection, "reassign owned by {} to {}", *words, said=told)

    def _write_schema(
        self, connection: psycopg.Connection, wanted: dict[str, Any], kept: str
    ) -> None:
        self.actions.append(f"write the schema of {wanted['name']}")
        if self.check:
            return
        connection.execute(wanted["schema"])
        note = sql.SQL("comment on database {} is {}")
        connection.execute(note.format(sql.Identifier(wanted["name"]), sql.Literal(kept)))


def _digest(schema: str | None) -> str:
    return "paquet schema " + hashlib.sha256((schema or "").encode()).hexdigest()


def bring(params: dict[str, Any], *, check: bool) -> dict[str, Any]:
    """Make or remove all roles and databases; check mode may come before psycopg is there."""
    if psycopg is None and check:
        return {"changed": True, "actions": [MISSING]}
    if psycopg is None:
        raise Refused(MISSING, actions=[])
    run = DatabaseRun(params, check=check)
    try:
        with run.into("postgres", autocommit=True) as connection:
            run.everything(connection, params)
    except psycopg.Error as refused:
        raise Refused(f"PostgreSQL: {refused}", actions=run.actions) from refused
    after = "".join(f"{action}\n" for action in run.actions)
    diff = {"before": "", "after": after}
    return {"changed": bool(run.actions), "actions": run.actions, "diff": diff}
