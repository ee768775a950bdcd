from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from provision import database
from tests.integration.conftest import TEMPLATE, psql
from tests.integration.subscriptions import histories

if TYPE_CHECKING:
    from pathlib import Path

HISTORIES = 10_000
HAPPENED = {"bill", "change", "cancel", "credit", "pay", "collect", "bounce", "refund"}
HAPPENED |= {"settle", "close", "lost"}

pytestmark = pytest.mark.timeout(3600)


def test_every_invariant_holds_under_ten_thousand_histories(
    postgresql_folder: Path, tmp_path: Path
) -> None:
    """Each is the life of a subscriber; a model in plain Python agrees on every one of them."""
    lived, happened = 0, Counter[str]()
    for seed in range(HISTORIES // histories.LIVES):
        psql(postgresql_folder, f"CREATE DATABASE h{seed} TEMPLATE {TEMPLATE}")
        engine = database.connect(f"postgresql://paquet@/h{seed}?host={postgresql_folder}")
        world = histories.live(engine, seed, tmp_path)
        engine.dispose()
        psql(postgresql_folder, f"DROP DATABASE h{seed} (FORCE)")
        lived += len(world.lives)
        happened.update(world.happened)
    assert lived == HISTORIES
    assert set(happened) == HAPPENED
