"""A PostgreSQL cluster of our own, from Debian's package, in a temporary directory."""

from __future__ import annotations

import os
import pwd
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TOOLS = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


@contextmanager
def running(*settings: str) -> Iterator[Path]:
    """Give the folder of its socket; with `settings` such as "fsync=on" on a disk, else in memory.

    Not in pytest's own folder: another run closes that one to other users.
    """
    assert TOOLS is not None
    memory = MEMORY if MEMORY.is_dir() and not settings else None
    with tempfile.TemporaryDirectory(prefix="paquet-postgresql-", dir=memory) as made:
        folder, data = Path(made), f"{made}/data"
        as_postgres = _as_postgres(folder)
        trust = ["-A", "trust", "-U", "paquet", "-E", "UTF8"]
        initialise = [*as_postgres, str(TOOLS / "initdb"), "-D", data, *trust]
        subprocess.run(initialise, check=True, capture_output=True)
        pg_ctl = [*as_postgres, str(TOOLS / "pg_ctl"), "-D", data, "-w"]
        words = ["listen_addresses=", f"unix_socket_directories={folder}", *(settings or FAST)]
        options = " ".join(f"-c {word}" for word in words)
        start = [*pg_ctl, "-l", str(folder / "log"), "-o", options, "start"]
        subprocess.run(start, check=True, capture_output=True)
        try:
            yield folder
        finally:
            stop = [*pg_ctl, "-m", "immediate", "stop"]
            subprocess.run(stop, check=True, capture_output=True)


FAST = ("fsync=off",)  # a test that loses its machine begins anew
MEMORY = Path("/dev/shm")  # noqa: S108 (a folder of our own in it): a database is copied at once


def _as_postgres(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root: hand the folder to its own user."""
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
