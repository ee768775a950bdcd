"""What a kind of run is: its steps, what they share, and what else changes with its state."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy.orm import Session

    from provision.workflows.control import Control

Words: TypeAlias = Mapping[str, Any]
Settle: TypeAlias = "Callable[[Session, Control, Words, str, str], None]"


@dataclass(frozen=True)
class StepResult:
    """What a step brought: a sentence for people, and facts that JSON can hold."""

    message: str = ""
    facts: object = None


@dataclass(frozen=True)
class UnderWay:
    """A run under way: what each step does, by name; `about` is what they share."""

    steps: Mapping[str, Callable[[], StepResult]]
    about: Any = None


def as_they_are(not_done: Sequence[str]) -> list[str]:
    """Return the steps to do: those that are not done."""
    return list(not_done)


def nothing_else(
    _session: Session, _control: Control, _words: Words, _state: str, _why: str
) -> None:
    """Change nothing beside the run itself."""


@dataclass(frozen=True)
class RunKind:
    """One kind of run.

    `begin` yields its work. `settle` changes what goes with the run, in the unit of work in which
    it comes to a state, and why. `left` orders the steps that are to do. `told` is what people hear
    when a step begins. With `each`, a step that fails keeps no other from its turn. `go_on` is the
    command that goes on with it, {} standing for what its subject names; `leaves_events` says
    whether steps that end are events of the subject.
    What `comes_again` by itself soon is not tried again by a worker.
    """

    begin: Callable[[Control, Words], AbstractContextManager[UnderWay]]
    settle: Settle = nothing_else
    left: Callable[[Sequence[str]], list[str]] = as_they_are
    told: Mapping[str, str] = field(default_factory=dict)
    each: bool = False
    go_on: str = ""
    leaves_events: bool = True
    comes_again: bool = False


def one_step(name: str, do: Callable[[Control, Words], StepResult]) -> RunKind:
    """Return a kind of run of one step, which has the name of the kind."""

    @contextmanager
    def begin(control: Control, asked: Words) -> Iterator[UnderWay]:
        yield UnderWay({name: partial(do, control, asked)})

    return RunKind(begin)
