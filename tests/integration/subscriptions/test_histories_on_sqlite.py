from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from provision import database
from tests.integration.subscriptions import histories

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

pytestmark = pytest.mark.timeout(3600)


@dataclass(frozen=True)
class Files:
    """Registries as files of a folder."""

    empty: Path
    folder: Path

    def copy(self, source: str, name: str) -> Engine:
        shutil.copy(self.folder / source if source else self.empty, self.folder / name)
        return database.connect(f"sqlite:///{self.folder / name}")

    def drop(self, engine: Engine, name: str) -> None:
        engine.dispose()
        (self.folder / name).unlink()


def test_every_invariant_holds_under_histories(
    sqlite_template: Path, tmp_path: Path, seed: int
) -> None:
    """Each is the life of a subscriber; a model in plain Python agrees on every one of them."""
    histories.run(Files(sqlite_template, tmp_path), tmp_path, seed)
