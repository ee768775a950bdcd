"""The database modules against a real PostgreSQL."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PLAYBOOKS = Path(__file__).parents[3] / "playbooks"
DRIVER = """
import json, runpy, sys
import ansible.module_utils
from ansible.module_utils import basic
ansible.module_utils.__path__.append(sys.argv[1])
basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": json.load(sys.stdin)}).encode()
basic._ANSIBLE_PROFILE = "legacy"
if sys.argv[2].endswith("paquet_rows.py"):  # what only a step does has no file of a module
    from ansible.module_utils import paquet_rows, paquet_task
    paquet_task.run(paquet_rows)
runpy.run_path(sys.argv[2], run_name="__main__")
"""
SCHEMA = """
set local search_path = public;
create table if not exists domain (name text primary key, bundle text not null);
create table if not exists mailbox (
    address text primary key, domain text not null references domain, quota_bytes bigint,
    active boolean not null);
create table if not exists alias (address text, target text, primary key (address, target));
"""


def run_module(name: str, *, check: bool = False, **arguments: object) -> dict[str, Any]:
    given = {**arguments, "_ansible_check_mode": check, "_ansible_diff": True}
    command = [sys.executable, "-c", DRIVER, str(PLAYBOOKS / "module_utils")]
    done = subprocess.run(
        [*command, str(PLAYBOOKS / "library" / f"{name}.py")],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip(), done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    assert not result.get("failed") or result["msg"]
    return result


@pytest.fixture
def cluster(postgresql_folder: Path) -> Iterator[dict[str, Any]]:
    """Where the cluster is, for the superuser whose name is the Unix user's; emptied afterwards."""
    where = {"user": pwd.getpwuid(os.geteuid()).pw_name, "socket": str(postgresql_folder)}
    with psycopg.connect(host=str(postgresql_folder), user="paquet", dbname="postgres") as first:
        known = first.execute("select from pg_roles where rolname = %s", [where["user"]])
        if known.fetchone() is None:
            first.execute(f'create role "{where["user"]}" login superuser')
    yield where
    with psycopg.connect(
        host=str(postgresql_folder), user="paquet", dbname="postgres", autocommit=True
    ) as last:
        for name in ("copy", "mail", "pattern"):
            last.execute("update pg_database set datistemplate = false where datname = %s", [name])
            last.execute(f"drop database if exists {name}")
        for role in ("bundle1", "reader", "pattern_owner"):
            last.execute(f"drop role if exists {role}")


def ask(cluster: dict[str, Any], database: str, query: str) -> list[Any]:
    with psycopg.connect(host=cluster["socket"], user="paquet", dbname=database) as connection:
        return connection.execute(query).fetchall()


def wishes() -> dict[str, Any]:
    return {
        "roles": [
            {"name": "reader", "settings": {"statement_timeout": "5s"}},
            {"name": "bundle1", "connection_limit": 20},
        ],
        "databases": [
            {"name": "mail", "owner": "bundle1", "connect": ["reader"], "schema": SCHEMA}
        ],
    }


def test_roles_and_databases_come_to_be_and_stay(cluster: dict[str, Any]) -> None:
    converge = partial(run_module, "paquet_database", **wishes(), **cluster)
    assert len(converge(check=True)["actions"]) == 8
    assert len(converge()["actions"]) == 8
    assert converge()["actions"] == []
    tables = ask(cluster, "mail", "select relname from pg_class where relname = 'alias'")
    assert tables == [("alias",)]


def test_a_database_goes_with_whoever_is_in_it_and_then_its_role(cluster: dict[str, Any]) -> None:
    run_module("paquet_database", **wishes(), **cluster)
    gone: dict[str, Any] = {
        "databases": [{"name": "mail", "state": "absent"}],
        "roles": [{"name": "bundle1", "state": "absent"}],
    }
    leave = partial(run_module, "paquet_database", **gone, **cluster)
    told = ["drop database mail", "drop role bundle1"]
    with psycopg.connect(host=cluster["socket"], user="paquet", dbname="mail"):
        assert leave(check=True)["actions"] == told
        assert leave()["actions"] == told
    assert leave()["changed"] is False
    left = "select rolname from pg_roles where rolname in ('bundle1', 'reader')"
    assert ask(cluster, "postgres", left) == [("reader",)]


def test_a_database_is_closed_to_everyone_else(cluster: dict[str, Any]) -> None:
    run_module("paquet_database", **wishes(), **cluster)
    query = "select has_database_privilege({}, 'mail', 'connect')"
    assert ask(cluster, "mail", query.format("'reader'")) == [(True,)]
    acl = "select 1 from pg_database, aclexplode(datacl) where datname = 'mail' and grantee = 0"
    assert ask(cluster, "mail", acl) == []


def test_a_changed_schema_runs_in_one_transaction(cluster: dict[str, Any]) -> None:
    run_module("paquet_database", **wishes(), **cluster)
    broken = wishes()
    broken["databases"][0]["schema"] += "create table if not exists more (); select 1/0;"
    assert "division by zero" in run_module("paquet_database", **broken, **cluster)["msg"]
    assert ask(cluster, "mail", "select to_regclass('more')") == [(None,)]


def test_a_copy_of_a_template_belongs_to_its_new_owner(cluster: dict[str, Any]) -> None:
    pattern: dict[str, Any] = {
        "roles": [{"name": "pattern_owner"}, {"name": "bundle1"}],
        "databases": [
            {
                "name": "pattern",
                "owner": "paquet",
                "is_template": True,
                "schema": f"{SCHEMA} alter table domain owner to pattern_owner;",
            }
        ],
    }
    assert not run_module("paquet_database", **pattern, **cluster).get("msg")
    copy: dict[str, Any] = {
        "name": "copy",
        "owner": "bundle1",
        "template": "pattern",
        "reassign": "pattern_owner",
    }
    assert len(run_module("paquet_database", databases=[copy], **cluster)["actions"]) == 3
    assert run_module("paquet_database", databases=[copy], **cluster)["actions"] == []
    owner = "select tableowner from pg_tables where tablename = 'domain'"
    assert ask(cluster, "copy", owner) == [("bundle1",)]
    assert ask(cluster, "pattern", owner) == [("pattern_owner",)]


# What the owner of a database may plant in it, for sessions of somebody else to run.
PLANTED = """
create schema evil;
create function evil.raise() returns boolean language plpgsql as $$
    begin execute 'alter role bundle1 superuser'; return false; end $$ ;
create function evil.to_regrole(text) returns regrole language sql as $$
    select null::regrole from evil.raise() $$ ;
create view evil.pg_class as select 0::oid as relowner where evil.raise();
alter database mail set search_path = evil, pg_catalog;
"""
# What they begin with, so that they fail.
HINDERED = """
alter database mail set role = bundle1;
alter database mail set client_encoding = 'SQL_ASCII';
alter database mail set statement_timeout = 1;
alter database mail set idle_in_transaction_session_timeout = 1;
alter database mail set local_preload_libraries = 'absent';
alter database mail is_template true;
alter database mail set default_transaction_read_only = on;
"""


@pytest.fixture
def planted(cluster: dict[str, Any], request: pytest.FixtureRequest) -> dict[str, Any]:
    """The cluster, whose database `mail` its owner has prepared for who comes as the superuser."""
    run_module("paquet_database", **wishes(), **cluster)
    where: dict[str, Any] = {"host": cluster["socket"], "user": "bundle1", "dbname": "mail"}
    options = "-c local_preload_libraries= -c statement_timeout=0 -c role=none"
    with psycopg.connect(**where, options=options, autocommit=True) as owner:
        for statement in request.param.split(";\n"):
            owner.execute(statement)
    return cluster


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("planted", [PLANTED, PLANTED + HINDERED], indirect=True)
def test_what_an_owner_planted_neither_runs_nor_hinders(
    planted: dict[str, Any], *, check: bool
) -> None:
    again = wishes()
    again["databases"][0] |= {"reassign": "reader"}
    again["databases"][0]["schema"] += "do $$ begin perform to_regrole('reader'); end $$;"
    said = run_module("paquet_database", **again, **planted, check=check)
    raised = "select rolsuper from pg_roles where rolname = 'bundle1'"
    assert ask(planted, "postgres", raised) == [(False,)]
    assert "msg" not in said
    assert said["actions"][0] == "unset all of mail"
    assert said["actions"][-1] == "write the schema of mail"


@pytest.mark.parametrize("planted", [HINDERED], indirect=True)
def test_an_owner_cannot_keep_a_database_from_being_dropped(planted: dict[str, Any]) -> None:
    gone: dict[str, Any] = {"databases": [{"name": "mail", "state": "absent"}]}
    assert "msg" not in run_module("paquet_database", **gone, **planted)
    assert ask(planted, "postgres", "select from pg_database where datname = 'mail'") == []


def rows(bundle: str, domain: str, *locals_: str) -> dict[str, Any]:
    addresses = [f"{local}@{domain}" for local in locals_]
    boxes = [{"address": one, "quota_bytes": 10, "active": True} for one in addresses]
    aliases = [{"address": f"info@{domain}", "target": one} for one in addresses]
    return {
        "database": "mail",
        "tables": [
            {"table": "domain", "key": ["name"], "scope": {"bundle": bundle},
             "rows": [{"name": domain}] if addresses else [], "prune": True},
            {"table": "mailbox", "key": ["address"], "scope": {"domain": domain},
             "rows": boxes, "prune": True},
            {"table": "alias", "key": ["address", "target"],
             "scope_suffix": {"address": f"@{domain}"}, "rows": aliases, "prune": True},
        ],
    }  # fmt: skip


@pytest.fixture
def settle(cluster: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    run_module("paquet_database", **wishes(), **cluster)
    return lambda wanted, **mode: run_module("paquet_rows", **wanted, **cluster, **mode)


def test_rows_are_written_once(settle: Callable[..., dict[str, Any]]) -> None:
    wanted = rows("b1", "a.test", "eve", "o'hara; drop table alias; --")
    assert settle(wanted)["written"] == {"domain": 1, "mailbox": 2, "alias": 2}
    assert settle(wanted)["changed"] is False
    wanted["tables"][1]["rows"][0]["quota_bytes"] = 11
    assert settle(wanted)["written"] == {"mailbox": 1}


def test_rows_that_left_are_deleted_and_the_neighbours_stay(
    settle: Callable[..., dict[str, Any]], cluster: dict[str, Any]
) -> None:
    settle(rows("b1", "a.test", "eve", "ada"))
    settle(rows("b2", "xa.test", "eve"))
    assert settle(rows("b1", "a.test", "ada"))["deleted"] == {"alias": 1, "mailbox": 1}
    assert settle(rows("b1", "a.test"))["deleted"] == {"alias": 1, "mailbox": 1, "domain": 1}
    left = ask(cluster, "mail", "select address from mailbox union select address from alias")
    assert sorted(left) == [("eve@xa.test",), ("info@xa.test",)]


def test_a_row_of_another_bundle_is_refused_and_nothing_changes(
    settle: Callable[..., dict[str, Any]], cluster: dict[str, Any]
) -> None:
    settle(rows("b1", "a.test", "eve"))
    stolen = settle(rows("b2", "a.test", "mallory"))
    assert "a.test belongs to another owner" in stolen["msg"]
    assert ask(cluster, "mail", "select address from mailbox") == [("eve@a.test",)]


def test_check_mode_tells_the_rows_and_writes_none(
    settle: Callable[..., dict[str, Any]], cluster: dict[str, Any]
) -> None:
    told = settle(rows("b1", "a.test", "eve"), check=True)
    assert told["written"] == {"domain": 1, "mailbox": 1, "alias": 1}
    assert ask(cluster, "mail", "select * from mailbox") == []
