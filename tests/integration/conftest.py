from __future__ import annotations

import os
import pwd
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from provision import database
from provision.migrations import upgrades

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

CLUSTERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


@pytest.fixture(scope="session")
def postgresql_folder() -> Iterator[Path]:
    """A PostgreSQL cluster of our own in a temporary directory, reached by its socket.

    Not in pytest's own folder: another run closes that one to other users.
    """
    if not CLUSTERS:
        pytest.skip("PostgreSQL is not installed (apt install postgresql)")
    with tempfile.TemporaryDirectory(prefix="paquet-postgresql-") as made:
        folder, data = Path(made), f"{made}/data"
        as_postgres, tools = _as_postgres(folder), CLUSTERS[0]
        trust = ["-A", "trust", "-U", "paquet", "-E", "UTF8"]
        initialise = [*as_postgres, str(tools / "initdb"), "-D", data, *trust]
        subprocess.run(initialise, check=True, capture_output=True)
        pg_ctl = [*as_postgres, str(tools / "pg_ctl"), "-D", data, "-w"]
        options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
        start = [*pg_ctl, "-l", str(folder / "log"), "-o", options, "start"]
        subprocess.run(start, check=True, capture_output=True)
        yield folder
        subprocess.run([*pg_ctl, "-m", "immediate", "stop"], check=True, capture_output=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty registry, once on each engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'registry.db'}"
        return
    folder = request.getfixturevalue("postgresql_folder")
    name = f"t{abs(hash(request.node.nodeid)) % 10**12}"
    psql = ["psql", "-h", str(folder), "-U", "paquet", "-d", "postgres", "-qc"]
    subprocess.run([*psql, f"CREATE DATABASE {name}"], check=True, capture_output=True)
    yield f"postgresql://paquet@/{name}?host={folder}"
    subprocess.run([*psql, f"DROP DATABASE {name} (FORCE)"], check=True, capture_output=True)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """The registry with the newest schema."""
    made = database.connect(database_url)
    upgrades.upgrade(made)
    yield made
    made.dispose()


def _as_postgres(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root: hand the folder to its own user."""
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
