"""The table that a benchmark prints, one line as soon as it is known."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Figures:
    """The table that is printed at the end."""

    rows: list[dict[str, object]] = field(default_factory=list)

    def add(self, work: str, seconds: float, *, aim: str = "", ratio: float | None = None) -> None:
        """Add one line, and print it at once: the whole takes many minutes."""
        row: dict[str, object] = {
            "work": work,
            "seconds": f"{seconds:.2f}",
            "ratio": "" if ratio is None else f"{ratio:.2f}",
            "aim": aim,
        }
        self.rows.append(row)
        click.echo("  ".join(str(value) for value in row.values() if value), err=True)


def timed(action: Callable[[], object]) -> float:
    """Return the seconds that `action()` takes."""
    started = time.monotonic()
    action()
    return time.monotonic() - started
