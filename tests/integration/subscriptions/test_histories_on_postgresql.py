from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from provision import database
from tests.integration.conftest import TEMPLATE, psql
from tests.integration.subscriptions import histories

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

pytestmark = pytest.mark.timeout(3600)


@dataclass(frozen=True)
class Databases:
    """Registries as databases of a cluster."""

    cluster: Path

    def copy(self, source: str, name: str) -> Engine:
        psql(self.cluster, f"CREATE DATABASE {name} TEMPLATE {source or TEMPLATE}")
        return database.connect(f"postgresql://paquet@/{name}?host={self.cluster}")

    def drop(self, engine: Engine, name: str) -> None:
        engine.dispose()
        psql(self.cluster, f"DROP DATABASE {name} (FORCE)")


def test_every_invariant_holds_under_histories(
    postgresql_folder: Path, tmp_path: Path, seed: int
) -> None:
    """Each is the life of a subscriber; a model in plain Python agrees on every one of them."""
    histories.run(Databases(postgresql_folder), tmp_path, seed)
