"""Runs that only look: at servers and at bundles, from outside and inside."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from provision import database
from provision.checks.findings import Result
from provision.jobs.bundles import digest, named
from provision.jobs.work import RunKind, StepResult, UnderWay
from provision.registry import findings
from provision.registry.findings import LookedAt
from provision.registry.runs import PERSON_WAITS, WantedRun
from provision.workflows import checking, posting_operator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy.orm import Session

    from provision.checks.findings import Finding
    from provision.jobs.work import Words
    from provision.registry.models import Bundle
    from provision.workflows.control import Control


def of_bundle(bundle: Bundle) -> WantedRun:
    """Ask for a look at one bundle."""
    words = {"server": "", "bundles": [bundle.name]}
    subject = f"bundle:{bundle.name}"
    return WantedRun("check", subject, [bundle.name], words, subscriber_id=bundle.subscriber_id)


def of_server(server: str, bundles: Sequence[str] = (), priority: int = PERSON_WAITS) -> WantedRun:
    """Ask for a look at a server, and at the bundles with these names on it."""
    words = {"server": server, "bundles": list(bundles)}
    steps = [server, *bundles]
    subject = f"server:{server}" + (f":{digest(bundles)}" if bundles else "")
    return WantedRun("check", subject, steps, words, priority=priority)


@contextmanager
def _begin(control: Control, words: Words) -> Iterator[UnderWay]:
    steps: dict[str, Callable[[], StepResult]] = {
        name: partial(_look_at_bundle, control, name) for name in words["bundles"]
    }
    if server := words["server"]:
        steps[server] = partial(_look_at_server, control, server)
    yield UnderWay(steps)


def _look_at_bundle(control: Control, name: str) -> StepResult:
    looked = checking.check_bundle(control, named(control, name))
    return _noted(control, f"bundle:{name}", looked)


def _look_at_server(control: Control, server: str) -> StepResult:
    return _noted(control, f"server:{server}", checking.check_server(control, server))


def _noted(control: Control, subject: str, looked: Sequence[Finding]) -> StepResult:
    """Keep what is wrong; the operator is written to at once about what is severe and new."""
    rows = [finding.as_row() for finding in looked]
    told = LookedAt(subject, rows, is_whole=not any(finding.is_blind for finding in looked))

    def work(session: Session) -> None:
        new = findings.note(session, told, control.clock())
        posting_operator.at_once(control, session, new)

    database.retried(control.engine, work)
    wrong = sum(finding.result in (Result.ERROR, Result.WARNING) for finding in looked)
    message = f"{len(looked)} looks, {wrong} found something" if wrong else f"{len(looked)} looks"
    return StepResult(message, rows)


CHECK = RunKind(_begin, each=True, leaves_events=False)
