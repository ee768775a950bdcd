"""Two hundred kills of three workers that share runs on five servers (`make test-long`)."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.integration.jobs.killing import fleet, killed_at_random

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WORKERS, SERVERS = 3, 5
KILLS = int(os.environ.get("PAQUET_TEST_KILLS", "0"))
TAKEN_OVER = 60.0
pytestmark = pytest.mark.skipif(not KILLS, reason="takes minutes: make test-long PART=workers")


@pytest.mark.timeout(3000)
@pytest.mark.usefixtures("engine")
def test_two_hundred_kills_leave_no_run_behind_and_nobody_meets_on_a_server(
    database_url: str, tmp_path: Path, tell: Callable[[str, object, object], None]
) -> None:
    count = KILLS  # about as many runs as kills, so that none is killed in vain
    with fleet(tmp_path, database_url, count, SERVERS) as made:
        longest = killed_at_random(made, WORKERS, KILLS, TAKEN_OVER)
        overlaps, did = made.noted("overlaps"), Counter(made.noted("done"))
        where = made.control.engine.dialect.name
        tell(f"kills of workers and their runs, {where}", made.kills, KILLS)
        tell(f"runs left behind, {where}", made.left(), 0)
        tell(f"two at once on a server, {where}", len(overlaps), 0)
        tell(f"longest seconds without an end, {where}", round(longest, 1), TAKEN_OVER)
        tell(f"rests that somebody cut short, {where}", made.hurried, "after 2 kills each")
        assert made.hurried * 2 <= made.kills, "runs rested, or failed, that nobody killed"
        assert overlaps == []
        assert made.steps() == {"done": 3 * count}
    assert len(did) == 3 * count
