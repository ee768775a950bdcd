"""Is there a backup, is it from last night, and is the place where it lies closed to others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import requests

from provision.checks.certificates import look_at_certificate, look_for_old_tls
from provision.checks.dial import Service, dial
from provision.checks.findings import Check, error, ok, skipped, warning
from provision.checks.http import ask_web

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from provision.checks.findings import Finding
    from provision.checks.target import Target

A_NIGHT = timedelta(hours=26)  # a nightly timer with its random delay, and the run itself
TOO_LONG = timedelta(days=3)
UNAUTHORIZED = 401
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


def store_checks(target: Target, now: datetime) -> list[Check]:
    """Return the check of a backup server's door, which its firewall may close to us."""
    return [Check("backup store", partial(look_at_store, target, now))]


def look_at_store(target: Target, now: datetime) -> Iterator[Finding]:
    """Yield whether restic's rest-server answers over TLS, and to nobody without a login.

    A firewall that lets only bundle servers in answers nothing at all; a dead server refuses.
    """
    door = Service("backup store", target.host, target.ports.store)
    try:
        dial(target, door).close()
    except TimeoutError:
        said = f"Port {door.port} is closed to this machine: bundle servers alone may come in"
        yield skipped("backup store", said)
        return
    except OSError as closed:
        said = f"{target.host}, port {door.port}, does not answer from here: {closed}"
        hint = "On the server: journalctl -u paquet-backup-server."
        yield warning("backup store", said, hint)
        return
    yield from look_at_certificate(target, door, now=now)
    yield from look_for_old_tls(target, door)
    answer = ask_web(target, requests.Request("GET", f"https://{door.host}:{door.port}/"))
    if answer.status_code == UNAUTHORIZED:
        yield ok("backup store", "Nobody gets in without a login")
    else:
        said = f"Without a login it answers {answer.status_code}"
        yield error("backup store", said, "Deploy the backup server again.")


def _told(age: timedelta) -> str:
    hours = max(0, round(age.total_seconds() / 3600))
    return f"{hours} hours" if hours < 72 else f"{hours // 24} days"  # noqa: PLR2004 -- three days
