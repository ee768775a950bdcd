"""The loop that makes what a page shows out of chapters and figures."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING

from provision.subscriptions.reports import charts
from provision.subscriptions.reports.blocks import BarsStanding
from provision.subscriptions.reports.charts import Bar, BarGroup, Stack
from provision.subscriptions.reports.drawing import Picture
from provision.subscriptions.reports.ratios import basis_points

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from provision.subscriptions.reports.blocks import (
        Block,
        Chapter,
        Column,
        Line,
        Lying,
        Sentence,
    )
    from provision.subscriptions.reports.figures import Figures
    from provision.subscriptions.reports.wording import Wording

MOST_DRAWN = 12  # lines of a chart: more are not seen, and are in the table


@dataclass(frozen=True)
class Cell:
    """A cell's text, and how dark it is: 0 not at all, 5 the most."""

    text: str
    shade: int = 0


@dataclass(frozen=True)
class TableBlock:
    """Heads and rows; the first `names` columns hold text, the others figures."""

    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    names: int


@dataclass(frozen=True)
class MadeBlock:
    """One figure: its title, what to say about it, and the chart (SVG) with its table, if any."""

    title: str
    says: tuple[str, ...]
    chart: str = ""
    table: TableBlock | None = None


@dataclass(frozen=True)
class MadeChapter:
    """The blocks of a chapter, and the anchor that leads to it."""

    anchor: str
    title: str
    blocks: tuple[MadeBlock, ...]


def make(chapter: Chapter, figures: Figures, words: Wording) -> MadeChapter:
    """Return a chapter in the language of the words, without blocks that have nothing to say."""
    blocks = [_make(block, figures, words) for block in chapter.blocks]
    telling = tuple(block for block in blocks if block.says or block.table)
    return MadeChapter(chapter.name, words.say(f"chapters.{chapter.name}"), telling)


def _make(block: Block, figures: Figures, words: Wording) -> MadeBlock:
    title, lines = words.say(f"{block.name}.title"), block.lines_of(figures)
    keys = block.says if lines else ("empty",) if block.columns else ()
    says = [said for key in (*keys, *block.always) for said in _say(key, block, figures, words)]
    if not lines:
        return MadeBlock(title, tuple(says))
    shown = _Shown(block, lines, words)
    picture = Picture(block.name, title, words.say("page.chart", title=title))
    chart = ""
    if isinstance(block.chart, BarsStanding):
        stacks, amount = list(shown.stacks(block.chart)), partial(block.chart.shown, words)
        chart = charts.columns(picture, figures.months, stacks, amount)
    elif block.chart:
        groups = list(shown.groups(block.chart))
        says += [words.say("page.few", count=MOST_DRAWN)] if len(groups) > MOST_DRAWN else []
        marks = [(_length(mark), words.percent(mark)) for mark in block.chart.marks]
        chart = charts.bars(picture, groups[:MOST_DRAWN], shown.legend(block.chart), marks)
    return MadeBlock(title, tuple(says), chart, shown.table())


def _say(key: Sentence, block: Block, figures: Figures, words: Wording) -> Iterable[str]:
    return key(figures, words) if callable(key) else (words.say(f"{block.name}.{key}"),)


class _Shown:
    """The lines of a block, each with its cells in the reader's language."""

    def __init__(self, block: Block, lines: Sequence[Line], words: Wording) -> None:
        self.block, self.lines, self.words = block, lines, words
        columns = block.columns(lines) if callable(block.columns) else block.columns
        self.columns = {column.key: column for column in columns}
        self.cells = [
            {key: column.text(column.value(line), words) for key, column in self.columns.items()}
            for line in lines
        ]

    def table(self) -> TableBlock:
        """Return the lines, and their total if it is wanted."""
        columns = [column for column in self.columns.values() if not column.aside]
        rows = [
            tuple(Cell(cells[column.key], column.shade(line)) for column in columns)
            for line, cells in zip(self.lines, self.cells, strict=True)
        ]
        if self.block.total:
            first = Cell(self.words.say("page.total"))
            rows.append((first, *(Cell(self._total(column)) for column in columns[1:])))
        names = len(list(takewhile(lambda column: column.is_name, columns)))
        return TableBlock(tuple(self._word(column.key) for column in columns), tuple(rows), names)

    def _total(self, column: Column) -> str:
        if column.key not in self.block.total:
            return ""
        values = [column.value(line) for line in self.lines]
        return column.text(None if None in values else sum(values), self.words)

    def _word(self, key: str) -> str:
        return self.words.name(self.block.name, key)

    def stacks(self, chart: BarsStanding) -> Iterator[Stack]:
        """Return a value of each month, for each column that is drawn."""
        for key, style in chart.drawn.items():
            values = tuple(self.columns[key].value(line) for line in self.lines)
            yield Stack(self._word(key), style, values)

    def groups(self, chart: Lying) -> Iterator[BarGroup]:
        """Return the bars of each line."""
        for line, cells in zip(self.lines, self.cells, strict=True):
            bars = tuple(
                Bar(length, _written(chart, key).format_map(cells), _style(style, line))
                for key, style in chart.drawn.items()
                if (length := _length(self.columns[key].value(line))) or chart.zeros
            )
            if bars:
                yield BarGroup(chart.label.format_map(cells), bars, chart.about.format_map(cells))

    def legend(self, chart: Lying) -> list[tuple[str, int]]:
        """Return the names of styles, where there is more than one."""
        if not chart.legend:
            several = chart.drawn if len(chart.drawn) > 1 else {}
            return [(self._word(key), _style(style, None)) for key, style in several.items()]
        (style,) = chart.drawn.values()
        styles = {
            (_style(style, line), chart.legend.format_map(cells))
            for line, cells in zip(self.lines, self.cells, strict=True)
        }
        return [(name, number) for number, name in sorted(styles)]


def _written(chart: Lying, key: str) -> str:
    return f"{{{key}}}" if chart.written is None else chart.written


def _style(style: int | Callable[[Line], int], line: Line) -> int:
    return style(line) if callable(style) else style


def _length(value: Fraction | int | None) -> int:
    return (basis_points(value) or 0) if isinstance(value, Fraction) else value or 0
