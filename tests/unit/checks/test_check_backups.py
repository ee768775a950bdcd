from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from provision.checks.backups import Snapshots, check_backup
from provision.checks.findings import Result

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "result", "told"),
    [
        (0, Result.OK, "0 hours"),
        (25, Result.OK, "25 hours"),
        (30, Result.WARNING, "30 hours"),
        (80, Result.ERROR, "3 days"),
    ],
)
def test_a_backup_is_judged_by_its_age(hours: int, result: Result, told: str) -> None:
    finding = check_backup(Snapshots(7, NOW - timedelta(hours=hours)), NOW)
    assert (finding.result, finding.message) == (
        result,
        f"The last of 7 snapshots is {told} old",
    )


def test_no_backup_is_an_error() -> None:
    finding = check_backup(Snapshots(0, None), NOW)
    assert finding.result is Result.ERROR
    assert "paquet backup run" in finding.hint
