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
GATHER, SEND, READ = STEPS = ("gather", "send", "read")


def round_of(address: str, priority: int = PERSON_WAITS) -> WantedRun:
    """Ask for a round of the post, which leaves from `address`: '' for none, and nothing leaves."""
    return WantedRun("post", "post:", STEPS, {"address": address}, QUEUE, priority=priority)


def announcement(day: date, priority: int = PERSON_WAITS) -> WantedRun:
    """Ask for the announcement of the renewals of a day, by post alone."""
    words = {"day": day.isoformat()}
    return WantedRun("announce", f"day:{day}", ["announce"], words, QUEUE, priority=priority)


def to_operator(day: date, priority: int = PERSON_WAITS) -> WantedRun:
    """Ask for the operator's letter of a day."""
    return WantedRun("tell operator", f"day:{day}", ["tell operator"], {}, QUEUE, priority=priority)


@contextmanager
def _begin(control: Control, words: Words) -> Iterator[UnderWay]:
    leaves = {SEND: _send, READ: _read} if words["address"] else {SEND: _wait, READ: _wait}
    yield UnderWay({name: partial(do, control) for name, do in {GATHER: _gather, **leaves}.items()})


def _gather(control: Control) -> StepResult:
    written = posting_gathering.gather(control)
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(written.items()))
    return StepResult(f"written: {told}" if told else "nothing to write")


def _wait(_control: Control) -> StepResult:
    return StepResult("no address is set from which letters leave")


def _send(control: Control) -> StepResult:
    with _watched(control, "sender"):
        return _posted(posting.send(control), "left")


def _read(control: Control) -> StepResult:
    with _watched(control, "mailbox"):
        return _posted(posting.came_back(control), "came back")


@contextmanager
def _watched(control: Control, part: str) -> Iterator[None]:
    """Let the operator hear once that a part of the post fails, and once that it works again."""
    try:
        yield
    except PaquetError as failed:
        posting_operator.note_trouble(control, part, failed)
        raise
    posting_operator.note_trouble(control, part, None)


def _posted(posted: list[Posted], what: str) -> StepResult:
    return StepResult(f"{len(posted)} letters {what}", [asdict(letter) for letter in posted])


def _announce(control: Control, words: Words) -> StepResult:
    count = announcing.announce(control, date.fromisoformat(words["day"]), None)
    return StepResult(f"{count} renewals announced", {"announced": count})


def _tell(control: Control, _words: Words) -> StepResult:
    count = posting_operator.daily(control)
    return StepResult(f"{count} things told" if count else "nothing changed", {"told": count})


POST = RunKind(
    _begin, left=lambda _not_done: list(STEPS), each=True, leaves_events=False, comes_again=True
)
ANNOUNCE = one_step("announce", _announce)
TELL_OPERATOR = one_step("tell operator", _tell)
