from __future__ import annotations

import os
import pwd
import subprocess
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
def postgresql_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A PostgreSQL cluster of our own in a temporary directory, reached by its socket."""
    if not CLUSTERS:
        pytest.skip("PostgreSQL is not installed (apt install postgresql)")
    folder = tmp_path_factory.mktemp("postgresql").resolve()
    as_postgres = _as_postgres(folder)
    tools = CLUSTERS[0]
    data = str(folder / "data")
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    subprocess.run(
        [
            *as_postgres,
            str(tools / "initdb"),
            "-D",
            data,
            "-A",
            "trust",
            "-U",
            "paquet",
            "-E",
            "UTF8",
        ],
        check=True,
        capture_output=True,
    )
    pg_ctl = [*as_postgres, str(tools / "pg_ctl"), "-D", data, "-w"]
    started = [*pg_ctl, "-l", str(folder / "log"), "-o", options, "start"]
    subprocess.run(started, check=True, capture_output=True)
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
    for parent in folder.parents:
        if parent.stat().st_uid == 0 and parent.stat().st_mode & 0o077 == 0:
            parent.chmod(0o711)
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
