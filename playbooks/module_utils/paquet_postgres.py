"""Talk to the machine's own PostgreSQL through its socket, as one of its Unix users."""

from __future__ import annotations

import contextlib
import os
import pwd
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

try:
    import psycopg
    from psycopg import sql
except ImportError:  # the controller reads this file too, and check mode may come before packages
    psycopg = sql = None

MISSING = "python3-psycopg is not installed yet"
# The owner of a database says what its sessions begin with, the superuser's too: whose functions
# and tables a name means, what ends or hinders us. What the client asks for comes before that.
OURS = {
    "search_path": "pg_catalog",
    "role": "none",
    "local_preload_libraries": "",
    "default_transaction_read_only": "off",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "lock_timeout": "1min",
    "client_encoding": "UTF8",
}


@contextlib.contextmanager
def connected(
    database: str, where: dict[str, Any], *, autocommit: bool = False
) -> Iterator[psycopg.Connection]:
    """Yield a connection to `database`; `where` holds user, socket folder and port.

    The server knows us by the user who opens the socket (peer), so no password exists. Leaving
    normally commits, leaving by an error rolls back. Names are those of pg_catalog: others need
    their schema.
    """
    with _acting_as(where["user"]):
        connection = psycopg.connect(
            dbname=database,
            user=where["user"],
            host=where["socket"],
            port=where["port"],
            autocommit=autocommit,
            options=" ".join(f"-c {name}={value}" for name, value in OURS.items()),
        )
    with connection:
        yield connection


@contextlib.contextmanager
def _acting_as(user: str) -> Iterator[None]:
    """Be `user` while the socket opens; only root can and needs to."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(pwd.getpwnam(user).pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)


WHERE = {
    "user": {"default": "postgres"},
    "socket": {"type": "path", "default": "/run/postgresql"},
    "port": {"type": "int", "default": 5432},
}
