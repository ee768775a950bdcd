"""All checks of a bundle, or of a server, at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.checks.backups import store_checks
from provision.checks.certificates import certificate_checks, mail_doors, web_doors
from provision.checks.findings import run
from provision.checks.mail import mail_server_checks, mailbox_checks
from provision.checks.names import name_checks
from provision.checks.web import web_checks

if TYPE_CHECKING:
    from datetime import datetime

    from provision.checks.findings import Check, Finding
    from provision.checks.target import Target


def check_bundle(target: Target, now: datetime, *, round_trip: bool = False) -> list[Finding]:
    """Look at a bundle as its subscriber does. With `round_trip` a message is sent to oneself."""
    return run(
        [
            *mailbox_checks(target, round_trip=round_trip),
            *mail_server_checks(target),
            *web_checks(target),
            *certificate_checks(target, [*web_doors(target), *mail_doors(target)], now),
            *name_checks(target),
        ]
    )


def check_server(target: Target, inside: Check, now: datetime) -> list[Finding]:
    """Look at a server without any bundle: inside, at its names, and at its mail doors.

    Its web side answers to the names of bundles only.
    """
    return run(
        [
            inside,
            *mail_server_checks(target),
            *certificate_checks(target, mail_doors(target), now),
            *name_checks(target),
        ]
    )


def check_backup_server(target: Target, inside: Check, now: datetime) -> list[Finding]:
    """Look at a backup server: inside, at its names, and at the door of its repositories."""
    return run([inside, *store_checks(target, now), *name_checks(target)])
