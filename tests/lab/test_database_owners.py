"""A bundle owns its database: that gives it nothing of PostgreSQL's superuser, and stops nobody."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from provision.process.commands import CommandFailed
from provision.workflows import plays, safekeeping
from tests.lab import neighbours
from tests.lab.contract.clients import Clients, files_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.lab.region import Delivered

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]
MULTISTATUS = 207
# Each play asks for the first; the second answers the meter; the settings are for whoever comes.
PLANTED = """
create schema evil;
create function evil.raise() returns boolean language plpgsql as $$
    begin execute 'alter role {name} superuser'; return false; end $$;
create function evil.to_regrole(text) returns regrole language sql as $$
    select null::regrole from evil.raise() $$;
create function evil.pg_database_size(name) returns bigint language sql as 'select 0::bigint';
alter database {name} set search_path = evil, public, pg_catalog;
"""
HINDERED = """
alter database {name} is_template true;
alter database {name} set role = {name};
alter database {name} set local_preload_libraries = 'absent';
"""
SUPERUSER = "select rolsuper from pg_roles where rolname = '{}'"
END = "select pg_terminate_backend(pid) from pg_stat_activity where"
LOCK = "begin; lock table held; select pg_sleep(100)"
SILENT = """
import socket
held = [socket.socket(socket.AF_UNIX) for _ in range(20)]
for one in held:
    one.connect("/run/postgresql/.s.PGSQL.5432")
assert not any(one.recv(1) for one in held)
"""


def ask(bundle: Delivered, query: str) -> str:
    """Ask PostgreSQL as its superuser, in a database of nobody."""
    command = ["runuser", "-u", "postgres", "--", "psql", "--no-psqlrc", "-Atc", query]
    return bundle.server.run(command).stdout.strip()


@contextmanager
def planted(bundle: Delivered, statements: str) -> Iterator[None]:
    """Let the bundle prepare its database for whoever comes as the superuser."""
    assert "ERROR" not in neighbours.psql(bundle, statements.format(name=bundle.name))
    try:
        yield
    finally:
        ask(bundle, f"alter database {bundle.name} reset all")
        ask(bundle, f"alter database {bundle.name} is_template false")
        neighbours.psql(bundle, "drop schema if exists evil cascade")


def test_what_a_bundle_planted_is_not_run_by_a_play_or_a_backup(nextcloud: Delivered) -> None:
    control = nextcloud.region.control
    with planted(nextcloud, PLANTED):
        play = plays.bundle_play("bundle.yml", nextcloud.bundle, control)
        plays.rehearse(control, play)
        assert ask(nextcloud, SUPERUSER.format(nextcloud.name)) == "f"
        safekeeping.run(control, nextcloud.domain)
        plays.change(control, play)
        assert ask(nextcloud, SUPERUSER.format(nextcloud.name)) == "f"
        left = "select setconfig from pg_db_role_setting join pg_database on oid = setdatabase"
        assert ask(nextcloud, f"{left} where datname = '{nextcloud.name}'") == ""


def test_what_a_bundle_set_keeps_no_play_away(nextcloud: Delivered) -> None:
    control = nextcloud.region.control
    with planted(nextcloud, HINDERED):
        plays.change(control, plays.bundle_play("bundle.yml", nextcloud.bundle, control))


def test_a_bundle_does_not_say_itself_how_large_its_database_is(nextcloud: Delivered) -> None:
    size = "import runpy; print(runpy.run_path('/usr/local/lib/paquet/meter/rooms.py')"
    size += f"['database_size']('{nextcloud.name}'))"
    with planted(nextcloud, PLANTED):
        measure = neighbours.as_user(nextcloud, "python3", "-c", size)
        assert int(nextcloud.server.run(measure).stdout) > 1 << 20


def test_a_locked_table_costs_its_bundle_the_backup_and_no_night(nextcloud: Delivered) -> None:
    neighbours.psql(nextcloud, "create table held ()")
    command = [neighbours.PSQL, "-h", "/run/postgresql", "-c", LOCK]
    begun = time.monotonic()
    with neighbours.meanwhile(nextcloud, neighbours.as_user(nextcloud, *command)):
        backup = ["/usr/local/lib/paquet/backup", nextcloud.name]
        with pytest.raises(CommandFailed, match="has locked a table of its database for 60s"):
            nextcloud.server.run(backup)
        assert 55 < time.monotonic() - begun < 95
        ask(nextcloud, f"{END} usename = '{nextcloud.name}'")
    neighbours.psql(nextcloud, "drop table held")


def test_a_sort_of_a_terabyte_is_an_error_and_postgresql_stays(nextcloud: Delivered) -> None:
    began = ask(nextcloud, "select pg_postmaster_start_time()")
    greedy = "set work_mem = '1TB'; select count(*) from (select distinct n || repeat('x', 500)"
    greedy += " from generate_series(1, 4000000) n) x"
    assert "out of memory" in neighbours.psql(nextcloud, greedy)
    assert neighbours.psql(nextcloud, "select 1") == "1"
    assert ask(nextcloud, "select pg_postmaster_start_time()") == began


def test_who_says_nothing_to_postgresql_is_sent_away(nextcloud: Delivered) -> None:
    begun = time.monotonic()
    nextcloud.server.run(neighbours.as_user(nextcloud, "python3", "-c", SILENT))
    assert time.monotonic() - begun < 20


def test_php_of_a_bundle_opens_few_files_and_has_enough(
    nextcloud: Delivered, tmp_path: Path
) -> None:
    clients = Clients(nextcloud, nextcloud.secret, tmp_path)
    assert clients.status("PROPFIND", files_url(nextcloud)) == MULTISTATUS
    unit = f"paquet-php@{nextcloud.name}.service"
    shown = ["systemctl", "show", "--property=LimitNOFILE", "--value", unit]
    assert nextcloud.server.run(shown).stdout.strip() == "64"
    count = f"for p in $(pgrep -u {nextcloud.name} php-fpm); do ls /proc/$p/fd | wc -l; done"
    opened = [int(one) for one in nextcloud.server.run(["sh", "-c", count]).stdout.split()]
    assert len(opened) > 1
    assert max(opened) < 32
