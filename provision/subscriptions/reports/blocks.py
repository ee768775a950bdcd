"""What a page is built of: chapters of blocks, each with sentences, a chart and its table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.subscriptions.reports.drawing import Picture

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from provision.subscriptions.reports.charts import Group
    from provision.subscriptions.reports.wording import Wording

MOST_DRAWN = 12  # lines of a chart: more are not seen, and are in the table


@dataclass(frozen=True)
class Cell:
    """A cell's text, and how dark it is: 0 not at all, 5 the most."""

    text: str
    shade: int = 0


@dataclass(frozen=True)
class Table:
    """Heads and rows; the first `names` columns hold text, the others figures."""

    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    names: int = 1


@dataclass(frozen=True)
class Block:
    """One figure: its title, what to say about it, and the chart (SVG) with its table, if any."""

    title: str
    says: tuple[str, ...]
    chart: str = ""
    table: Table | None = None


@dataclass(frozen=True)
class Chapter:
    """What the assembly talks about at one time."""

    anchor: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Tile:
    """A number to remember, and what it counts."""

    value: str
    label: str


def row(*texts: str) -> tuple[Cell, ...]:
    """Return a row of plain cells."""
    return tuple(Cell(text) for text in texts)


def heads(words: Wording, chapter: str, *keys: str) -> tuple[str, ...]:
    """Return the heads of a table, the words of a chapter at these keys."""
    return tuple(words.say(f"{chapter}.{key}") for key in keys)


def picture(words: Wording, name: str, title: str) -> Picture:
    """Return the empty picture that is told as the chart of this title."""
    return Picture(name, title, words.say("page.chart", title=title))


def drawn(groups: Sequence[Group]) -> Sequence[Group]:
    """Return as many groups as a chart can show."""
    return groups[:MOST_DRAWN]


def few(words: Wording, lines: Sequence[object]) -> Iterable[str]:
    """Return the sentence that says that a chart does not show all lines, if so."""
    if len(lines) > MOST_DRAWN:
        yield words.say("page.few", count=MOST_DRAWN)
