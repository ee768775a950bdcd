#!/usr/bin/python3
"""End what one bundle does in PostgreSQL at the cost of all.

The time-outs of a role are a default that its sessions may raise, and locks of all databases share
one table: so somebody looks, as the superuser, who always gets a connection.
"""

from __future__ import annotations

import contextlib
import sys
import time

import psycopg

SECONDS = 1
BUNDLES = "^b[a-z0-9]{8}$"
END = """
select usename, why, pg_terminate_backend(pid) from (
    select pid, usename, case
        when state = 'active' and now() - query_start > '5 min' then 'a statement of five minutes'
        when now() - xact_start > '15 min' then 'a transaction of a quarter of an hour'
        when held > 2000 then 'thousands of locks'
    end as why
    from pg_stat_activity
    left join (select pid, count(*) as held from pg_locks group by pid) as locks using (pid)
    where usename ~ %s and backend_type = 'client backend'
) as looked where why is not null
"""


def watch() -> None:
    """Look again and again, as long as PostgreSQL is there."""
    with psycopg.connect(dbname="postgres", autocommit=True) as connection:
        while True:
            for bundle, why, _ in connection.execute(END, [BUNDLES]):
                sys.stderr.write(f"ended a session of {bundle}: {why}\n")
            time.sleep(SECONDS)


def main() -> None:
    """Watch, and wait for PostgreSQL whenever it is away."""
    while True:
        with contextlib.suppress(psycopg.OperationalError):
            watch()
        time.sleep(SECONDS)


if __name__ == "__main__":
    main()
