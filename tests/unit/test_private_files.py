"""What this machine keeps of people is for nobody else who may log in to it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from provision import database

if TYPE_CHECKING:
    from collections.abc import Iterator

PAQUET = Path(sys.executable).parent / "paquet"


@pytest.fixture(params=[0o000, 0o022, 0o277], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """A process whose umask is what its caller left."""
    before = os.umask(request.param)
    try:
        yield request.param
    finally:
        os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {
        str(path.relative_to(folder)): path.stat().st_mode & 0o777
        for path in sorted(folder.rglob("*"))
    }


@pytest.mark.usefixtures("umask")
def test_the_registry_is_private_whatever_the_umask(tmp_path: Path) -> None:
    engine = database.connect(f"sqlite:///{tmp_path}/paquet.db")
    with engine.begin() as connection:
        connection.execute(text("create table one (id integer)"))
        assert modes(tmp_path) == dict.fromkeys(
            ("paquet.db", "paquet.db-shm", "paquet.db-wal"), 0o600
        )
    engine.dispose()


def test_a_registry_that_others_could_read_is_narrowed_when_it_is_opened(tmp_path: Path) -> None:
    engine = database.connect(f"sqlite:///{tmp_path}/paquet.db")
    with engine.begin() as connection:
        connection.execute(text("create table one (id integer)"))
    for path in tmp_path.iterdir():
        path.chmod(0o664)
    other = database.connect(f"sqlite:///{tmp_path}/paquet.db")
    with other.connect() as second:
        second.execute(text("select * from one"))
        assert list(modes(tmp_path).values()) == [0o600] * 3
    other.dispose()
    engine.dispose()


def test_a_second_connection_keeps_the_locks_of_the_first(tmp_path: Path) -> None:
    file = tmp_path / "paquet.db"
    engine = database.connect(f"sqlite:///{file}")
    with engine.begin() as connection:
        connection.execute(text("create table one (id integer)"))
    with engine.connect() as first, engine.connect():
        first.execute(text("select * from one"))
        beside = file.with_name("paquet.db-wal").stat().st_ino
        # Who leaves last sweeps up what lies beside the file: it would see nobody but itself.
        words = ["import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('select * from one')"]
        subprocess.run([sys.executable, "-c", *words, str(file)], check=True)
        assert file.with_name("paquet.db-wal").stat().st_ino == beside
    engine.dispose()


def test_no_file_that_a_command_writes_can_be_read_by_others(tmp_path: Path) -> None:
    def paquet(*words: str) -> None:
        command = [str(PAQUET), "--config", str(tmp_path / "here/paquet.toml"), *words]
        subprocess.run(command, check=True, umask=0, capture_output=True)

    answers = ["--operator", "Nuage Libre", "--zone", "exemple.fr", "--contact", "aide@exemple.fr"]
    paquet(
        *("init", *answers, "--telephone", "", "--language", "fr"),
        *("--registry", "sqlite:///paquet.db", "--yes"),
    )
    paquet("organisation", "add", "Nuage Libre", "--kind", "association", "--yes")
    found = modes(tmp_path / "here")
    assert {"paquet.db", "paquet.key", "paquet.toml", "inventory.yml"} <= found.keys()
    assert [name for name, mode in found.items() if mode & 0o077] == []
