"""What a report is made of, as data: chapters of blocks, each with sentences, a chart, a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias

from provision.subscriptions.reports.figures import Figures
from provision.subscriptions.reports.wording import UNKNOWN, Wording

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

Line: TypeAlias = Any  # a record of the figures, whose attributes the columns name
Show: TypeAlias = Callable[[Wording, Any], str]
# The key of a sentence among the words of its block, or what makes sentences of the figures.
Sentence: TypeAlias = str | Callable[[Figures, Wording], Iterable[str]]
# The columns that are drawn, each with the number of its style, which can depend on the line.
Drawn: TypeAlias = Mapping[str, int | Callable[[Line], int]]


@dataclass(frozen=True)
class Column:
    """A head's word is found by `key`; cells show the attribute `of`, else the one named `key`.

    `shade` says how dark a cell is, 0 to 5. A column that is `aside` is only drawn.
    """

    key: str
    of: str | Callable[[Line], Any] = ""
    shown: Show = Wording.text
    shade: Callable[[Line], int] = lambda _: 0
    aside: bool = False

    @property
    def is_name(self) -> bool:
        """Whether it holds text, not numbers."""
        return self.shown not in NUMBERS

    def value(self, line: Line) -> Any:  # noqa: ANN401 (whatever the figures hold)
        """Return what the line holds."""
        return self.of(line) if callable(self.of) else attrgetter(self.of or self.key)(line)

    def text(self, value: object, words: Wording) -> str:
        """Return how a value is shown, a dash where it is not known."""
        return UNKNOWN if value is None else self.shown(words, value)


NUMBERS: tuple[Show, ...] = (
    *(Wording.count, Wording.money, Wording.percent, Wording.hundredths, Wording.hours),
)


@dataclass(frozen=True)
class Lying:
    """Bars below the label of each line. What is in braces are cells of the line.

    Beside a bar stands what is `written`, else its own cell. `legend` names styles that depend on
    the line. Without `zeros`, what is nothing is not drawn. `marks` are dashed lines at shares.
    """

    drawn: Drawn
    label: str
    about: str = ""
    legend: str = ""
    written: str | None = None
    zeros: bool = True
    marks: tuple[Fraction, ...] = ()


@dataclass(frozen=True)
class BarsStanding:
    """Columns on months, a month a line; `shown` writes the amounts at the side."""

    drawn: Mapping[str, int]
    shown: Show = Wording.short


@dataclass(frozen=True)
class Block:
    """One figure; its name is that of its words, of its chart, and of its lines in the figures.

    Without lines it says that it is empty. What it says `always` comes after all else; columns
    whose keys are in `total` are added up below the table.
    """

    name: str
    columns: Sequence[Column] | Callable[[Sequence[Line]], Sequence[Column]] = ()
    chart: Lying | BarsStanding | None = None
    says: tuple[Sentence, ...] = ()
    always: tuple[Sentence, ...] = ()
    total: tuple[str, ...] = ()
    lines: Callable[[Figures], Sequence[Line]] | None = None

    def lines_of(self, figures: Figures) -> Sequence[Line]:
        """Return what there is to show."""
        if self.lines:
            return self.lines(figures)
        lines: Sequence[Line] = getattr(figures, self.name)
        return lines


def some(lines: Sequence[Line], *names: str) -> Sequence[Line]:
    """Return the lines, or none of them when all are nothing in these attributes."""
    return lines if any(getattr(line, name) for line in lines for name in names) else ()


@dataclass(frozen=True)
class Chapter:
    """What the assembly talks about at one time."""

    name: str
    blocks: tuple[Block, ...]
