from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from provision import database
from provision.migrations import upgrades
from tests import postgresql_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine


@pytest.fixture(scope="session")
def postgresql_folder() -> Iterator[Path]:
    """A PostgreSQL cluster of our own in a temporary directory, reached by its socket."""
    if not postgresql_cluster.TOOLS:
        pytest.skip("PostgreSQL is not installed (apt install postgresql)")
    with postgresql_cluster.running() as folder:
        yield folder


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
