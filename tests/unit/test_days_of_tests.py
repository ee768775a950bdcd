"""A test that reads the clock of the day fails on another day, or checks less on most."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
CLOCKS = re.compile(
    r"\b(?:date|datetime)\.(?:today|now|utcnow)\(|\bcontrol(?:\(\))?\.today\("
    r"|\btime\.time\(|\b(?:local|gm)time\(\)"
)
REASONS = {
    "unit/checks/loopback.py": "clients of this machine look at how long certificates are valid",
    "lab/test_doors.py": "fail2ban reads the journal of real machines since a moment",
    "lab/test_neighbours.py": "the journal of a real machine is read since a moment",
    "lab/test_orders.py": "the journal of a real machine is read since a moment",
    "lab/test_post.py": "letters leave on the day of real machines",
    "integration/test_readme.py": "a person's shell has the day of the machine",
}


def test_no_test_reads_the_clock_of_the_day() -> None:
    reading = set()
    for folder in ("unit", "integration", "lab"):
        for path in (TESTS / folder).rglob("*.py"):
            if CLOCKS.search(path.read_text(encoding="utf-8")):
                reading.add(str(path.relative_to(TESTS)))
    assert reading == set(REASONS)
