from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from provision import database
from tests.integration.subscriptions import histories

if TYPE_CHECKING:
    from pathlib import Path

HISTORIES = 10_000
HAPPENED = {"bill", "change", "cancel", "credit", "pay", "collect", "bounce", "refund"}
HAPPENED |= {"settle", "close", "lost"}

pytestmark = pytest.mark.timeout(3600)


def test_every_invariant_holds_under_ten_thousand_histories(
    sqlite_template: Path, tmp_path: Path
) -> None:
    """Each is the life of a subscriber; a model in plain Python agrees on every one of them."""
    lived, happened = 0, Counter[str]()
    for seed in range(HISTORIES // histories.LIVES):
        file = tmp_path / f"{seed}.db"
        file.write_bytes(sqlite_template.read_bytes())
        engine = database.connect(f"sqlite:///{file}")
        world = histories.live(engine, seed, tmp_path)
        engine.dispose()
        file.unlink()
        lived += len(world.lives)
        happened.update(world.happened)
    assert lived == HISTORIES
    assert set(happened) == HAPPENED
