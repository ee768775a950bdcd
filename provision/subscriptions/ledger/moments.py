"""When something happened, and when it was written down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.days import sensible_day
from provision.errors import UsageRefused

if TYPE_CHECKING:
    from datetime import date


@dataclass(frozen=True)
class Moment:
    """The day `on` which something happened, and `today`. Raises UsageRefused for the future."""

    on: date
    today: date

    def __post_init__(self) -> None:
        sensible_day(self.on, "a day on which something happened")
        if self.on > self.today:
            raise UsageRefused(f"{self.on} is not there yet", "Write it down when it has happened.")
