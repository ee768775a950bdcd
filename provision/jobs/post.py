"""Runs about the post: what is written leaves, what came back is read, the operator is told."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.jobs.work import RunKind, StepResult, UnderWay, one_step
from provision.registry.runs import PERSON_WAITS, WantedRun
from provision.workflows import announcing, posting, posting_gathering, posting_operator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provision.jobs.work import Words
    from provision.workflows.control import Control
    from provision.workflows.posting import Posted

QUEUE = "post"
GATHER, SEND, READ = "gather", "send", "read"


def round_of(address: str, priority: int = PERSON_WAITS) -> WantedRun:
    """Ask for a round of the post, which leaves from `address`: '' for none, and nothing leaves."""
    steps = (GATHER, SEND, READ) if address else (GATHER,)
    return WantedRun("post", "post:", steps, {"address": address}, QUEUE, priority=priority)


def announcement(day: date, priority: int = PERSON_WAITS) -> WantedRun:
    """Ask for the announcement of the renewals of a day, by post alone."""
    words = {"day": day.isoformat()}
    return WantedRun("announce", f"day:{day}", ["announce"], words, QUEUE, priority=priority)


def to_operator(day: date, priority: int = PERSON_WAITS) -> WantedRun:
    """Ask for the operator's letter of a day."""
    return WantedRun("tell operator", f"day:{day}", ["tell operator"], {}, QUEUE, priority=priority)


@contextmanager
def _begin(control: Control, _words: Words) -> Iterator[UnderWay]:
    steps = {GATHER: _gather, SEND: _send, READ: _read}
    yield UnderWay({name: partial(do, control) for name, do in steps.items()})


def _gather(control: Control) -> StepResult:
    written = posting_gathering.gather(control)
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(written.items()))
    return StepResult(f"written: {told}" if told else "nothing to write")


def _send(control: Control) -> StepResult:
    return _posted(posting.send(control), "left")


def _read(control: Control) -> StepResult:
    """Read what came back; a mailbox that does not answer is asked again with the next round."""
    try:
        return _posted(posting.came_back(control), "came back")
    except PaquetError as unable:
        return StepResult(unable.message, [])


def _posted(posted: list[Posted], what: str) -> StepResult:
    return StepResult(f"{len(posted)} letters {what}", [asdict(letter) for letter in posted])


def _announce(control: Control, words: Words) -> StepResult:
    count = announcing.announce(control, date.fromisoformat(words["day"]), None)
    return StepResult(f"{count} renewals announced", {"announced": count})


def _tell(control: Control, _words: Words) -> StepResult:
    count = posting_operator.daily(control)
    return StepResult(f"{count} things told" if count else "nothing changed", {"told": count})


POST = RunKind(_begin, leaves_events=False)
ANNOUNCE = one_step("announce", _announce)
TELL_OPERATOR = one_step("tell operator", _tell)
