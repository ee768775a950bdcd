"""The control machine, as every story needs it: settings, registry, who acts, the time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from provision import database
from provision.registry.states import Told

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from datetime import date
    from pathlib import Path

    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from provision.settings import Settings


def _now() -> datetime:
    return datetime.now(UTC)


def _silent(_line: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Control:
    """What a story runs with; `tell` hears one line per thing done, `actor` goes into events.

    `stops` says whether whoever carries it out was told to stop: long stories end early then.
    """

    settings: Settings
    engine: Engine
    actor: str
    clock: Callable[[], datetime] = _now
    tell: Callable[[str], None] = _silent
    stops: Callable[[], bool] = lambda: False

    def reading(self) -> AbstractContextManager[Session]:
        """Return one look at the registry, which waits for no writer and cannot write."""
        return database.reading(self.engine)

    def session(self) -> AbstractContextManager[Session]:
        """Return one unit of work on the registry."""
        return database.transaction(self.engine)

    def today(self) -> date:
        """Return the day here: documents have the day of the place, not that of Greenwich."""
        return self.clock().astimezone().date()

    def told(self, why: str = "") -> Told:
        """Return who, when and why, for an event."""
        return Told(self.actor, self.clock(), why)

    @property
    def kits(self) -> Path:
        """Where kits are written, one folder per device."""
        return self.settings.state / "kits"
