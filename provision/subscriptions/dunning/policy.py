"""When an open invoice reaches which step, by kind of subscriber: a TOML file, and pure dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from provision import strict
from provision.strict import Table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

EXAMPLE = "templates/money/dunning.example.toml"
NOTICE, REMINDER, FORMAL, SUSPEND, CLOSE = "notice", "reminder", "formal", "suspend", "close"
STEPS = (NOTICE, REMINDER, FORMAL, SUSPEND, CLOSE)
GENTLE = (NOTICE, REMINDER)
RESUMED = "resumed"  # not a step: that a suspended bundle was opened again
LEAST_AFTER_FORMAL = 8  # days in which a debtor can still pay
Days = Annotated[int, Field(ge=1, le=730)]


@dataclass(frozen=True)
class Reached:
    """A step that an invoice reached on a day."""

    step: str
    on: date


class Track(Table):
    """Days after the due date, by step; None is a step that is not taken."""

    notice: Days | None = None
    reminder: Days | None = None
    formal: Days | None = None
    suspend: Days | None = None
    close: Days | None = None

    @property
    def steps(self) -> tuple[tuple[str, int], ...]:
        """The steps that are taken, with their days, in their order."""
        every = ((step, getattr(self, step)) for step in STEPS)
        return tuple((step, days) for step, days in every if days is not None)

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        days = [days for _step, days in self.steps]
        if not days:
            raise ValueError("say at least one step")
        if days != sorted(set(days)):
            raise ValueError(f"{', '.join(STEPS)} follow one another: each has more days")
        formal, suspend = self.formal, self.suspend
        if suspend is not None and (formal is None or suspend - formal < LEAST_AFTER_FORMAL):
            raise ValueError(
                f"suspend comes {LEAST_AFTER_FORMAL} days after a formal notice, or later"
            )
        if self.close is not None and suspend is None:
            raise ValueError("close comes after suspend")
        return self


class Policy(Table):
    """The steps for a person, a company, and a non-profit."""

    person: Track
    company: Track
    non_profit: Track = Field(alias="non-profit")

    def of(self, kind: str) -> Track:
        """Return the steps for a kind of subscriber (`identities.KINDS`)."""
        track: Track = getattr(self, kind.replace("-", "_"))
        return track


def read(path: Path) -> Policy:
    """Return the policy of the file, or raise PaquetError with the first thing that is wrong."""
    return strict.read(path, Policy, EXAMPLE)


def following(
    steps: Sequence[tuple[str, int]], since: date, reached: Sequence[Reached]
) -> tuple[str, date] | None:
    """Return the step that comes next, and the first day on which it can be reached.

    Days count from `since`; steps of that day or before belong to an earlier debt. A step that was
    reached late moves those after it, so that the days between two are never fewer.
    """
    done = last(since, reached)
    if done is None:
        return (steps[0][0], since + timedelta(days=steps[0][1])) if steps else None
    days_of = dict(steps)
    later = [(step, days) for step, days in steps if STEPS.index(step) > STEPS.index(done.step)]
    if not later:
        return None
    step, days = later[0]
    gap = max(days - days_of.get(done.step, days - 1), 1)
    return step, max(since + timedelta(days=days), done.on + timedelta(days=gap))


def last(since: date, reached: Sequence[Reached]) -> Reached | None:
    """Return the step that was reached last for a debt that began on `since`."""
    done = [
        reached_step
        for reached_step in reached
        if reached_step.on > since and reached_step.step in STEPS
    ]
    return done[-1] if done else None
