"""Is there a backup, and is it from last night."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from provision.checks.findings import error, ok, warning

if TYPE_CHECKING:
    from datetime import datetime

    from provision.checks.findings import Finding

A_NIGHT = timedelta(hours=26)  # a nightly timer with its random delay, and the run itself
TOO_LONG = timedelta(days=3)
LOOK = "`paquet backup run` makes one now and shows what is wrong."


@dataclass(frozen=True)
class Snapshots:
    """What the repository of a bundle holds: how many snapshots, and when the last was made."""

    count: int
    last: datetime | None


def check_backup(snapshots: Snapshots, now: datetime) -> Finding:
    """Return whether the last snapshot is from last night, older, or absent."""
    if snapshots.last is None or not snapshots.count:
        return error("backup", "There is no backup", LOOK)
    age = now - snapshots.last
    said = f"The last of {snapshots.count} snapshots is {_told(age)} old"
    if age > TOO_LONG:
        return error("backup", said, LOOK)
    if age > A_NIGHT:
        return warning("backup", said, LOOK)
    return ok("backup", said)


def _told(age: timedelta) -> str:
    hours = max(0, round(age.total_seconds() / 3600))
    return f"{hours} hours" if hours < 72 else f"{hours // 24} days"  # noqa: PLR2004 -- three days
