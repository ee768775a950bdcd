"""From when on which enterprise must use an approved platform: dated data, never a constant."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from datetime import date

Size: TypeAlias = Literal["micro", "small or medium", "intermediate", "large"]
CALENDAR = Path(__file__).with_name("einvoicing.toml")


@dataclass(frozen=True)
class Duty:
    """What enterprises of these sizes must do from a day on; a decree may delay it to `latest`."""

    duty: str
    sizes: frozenset[str]
    valid_from: date
    latest: date
    source: str

    def rules_on(self, day: date) -> bool:
        """Whether it has begun by `day`."""
        return self.valid_from <= day


def calendar() -> tuple[Duty, ...]:
    """Return every duty of the calendar, in the order in which they begin."""
    read = tomllib.loads(CALENDAR.read_text(encoding="utf-8"))
    duties = (
        Duty(row["duty"], frozenset(row["sizes"]), row["from"], row["latest"], row["source"])
        for row in read["duty"]
    )
    return tuple(sorted(duties, key=lambda duty: (duty.valid_from, duty.duty)))


def of(size: Size | None) -> tuple[Duty, ...]:
    """Return the duties of enterprises of this size, or of any, if they are subject to VAT at all.

    An association that is not (or whose lucrative work stays accessory and below its threshold)
    has none of these duties; whether it is one is not decided here.
    """
    return tuple(duty for duty in calendar() if size is None or size in duty.sizes)
