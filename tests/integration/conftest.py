from __future__ import annotations

import shutil
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

TEMPLATE = "paquet_template"
COPY = f" TEMPLATE {TEMPLATE} STRATEGY FILE_COPY"  # ten times as fast as by its log, in memory


def _upgraded(url: str) -> None:
    made = database.connect(url)
    upgrades.upgrade(made)
    made.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with the newest schema and nothing else: migrations run once, not per test."""
    file = tmp_path_factory.mktemp("template") / "registry.db"
    _upgraded(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgresql_folder() -> Iterator[Path]:
    """A PostgreSQL cluster of our own in a temporary directory, reached by its socket."""
    if not postgresql_cluster.TOOLS:
        pytest.skip("PostgreSQL is not installed (apt install postgresql)")
    with postgresql_cluster.running() as folder:
        psql(folder, f"CREATE DATABASE {TEMPLATE}")
        _upgraded(f"postgresql://paquet@/{TEMPLATE}?host={folder}")
        yield folder


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A registry on each engine: empty, or with the newest schema for who asks for `engine`."""
    filled = "engine" in request.fixturenames
    if request.param == "sqlite":
        if filled:
            template: Path = request.getfixturevalue("sqlite_template")
            shutil.copy(template, tmp_path / "each.db")
        yield f"sqlite:///{tmp_path / 'each.db'}"
        return
    folder = request.getfixturevalue("postgresql_folder")
    name = f"t{abs(hash(request.node.nodeid)) % 10**12}"
    psql(
        folder,
        f"CREATE DATABASE {name}" + (f" TEMPLATE {TEMPLATE} STRATEGY FILE_COPY" if filled else ""),
    )
    yield f"postgresql://paquet@/{name}?host={folder}"
    psql(folder, f"DROP DATABASE {name} (FORCE)")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """The registry with the newest schema."""
    made = database.connect(database_url)
    yield made
    made.dispose()


def psql(folder: Path, sentence: str) -> None:
    """Say one sentence to the cluster."""
    command = ["psql", "-h", str(folder), "-U", "paquet", "-d", "postgres", "-qc", sentence]
    subprocess.run(command, check=True, capture_output=True)
