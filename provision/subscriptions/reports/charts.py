"""Two kinds of charts: bars that lie under their labels, and columns that stand on months.

Drawn for a narrow screen: a wide one enlarges them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from provision.subscriptions.reports.drawing import INK, STYLES, settings, svg

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from matplotlib.axes import Axes

    from provision.subscriptions.reports.drawing import Picture

POINTS = 72  # of an inch
WIDTH, LINE, PLOT = 330, 18, 170  # points: the picture, a line of text, the columns' height
LEFT = 66  # points for the amounts beside columns
LINE_STYLE = -1  # of a legend: the line, which is no box
GAP = 0.3  # of a line, between groups
ABOVE_ALL = 1.08  # axes reach so far beyond the highest column
BAR = 0.78  # of a line
ROOM = 0.42  # of all bars, on their right, for the amount of the longest
LONGEST_LABEL, SHORTEST_LABEL, LONGEST_NAME = 44, 12, 20  # letters; a name has half a line
LINE_DRAWN: dict[str, Any] = {"color": INK, "linewidth": 1.6, "marker": "o", "markersize": 3.5}
MARK: dict[str, Any] = {"color": INK, "linewidth": 1.2, "linestyle": (0, (3, 2))}


@dataclass(frozen=True)
class Bar:
    """One bar: how long, what is written after it, and the number of its style."""

    value: int
    text: str
    style: int


@dataclass(frozen=True)
class BarGroup:
    """A label and the bars below it; a long label is cut, what is `about` it never."""

    label: str
    bars: tuple[Bar, ...]
    about: str = ""


@dataclass(frozen=True)
class Stack:
    """One value for each month, above or below zero, in the style of this number."""

    name: str
    style: int
    values: tuple[int, ...]


@dataclass(frozen=True)
class _Frame:
    """Points: how high the picture is without its legend, and the room beside and below axes."""

    height: float
    left: float
    below: float


@settings()
def bars(
    picture: Picture,
    groups: Sequence[BarGroup],
    legend: Sequence[tuple[str, int]] = (),
    marks: Sequence[tuple[int, str]] = (),
) -> str:
    """Return lying bars; `legend` names styles, `marks` are dashed lines at a value."""
    values = [bar.value for group in groups for bar in group.bars]
    lowest, longest = min([0, *values]), max([1, *values, *(at for at, _ in marks)])
    lines = sum(1 + len(group.bars) + GAP for group in groups) + bool(marks)
    figure, axes = _canvas(picture, legend, _Frame(LINE * lines, 2, 0))
    down = 0.0
    for group in groups:
        axes.text(lowest, down + 0.5, picture.put(_written(group)), color=INK, va="center")
        for place, bar in enumerate(group.bars, start=1):
            _lying(axes, picture, bar, down + place)
            for at, _ in marks:
                axes.plot([at, at], [down + place, down + place + 1], **MARK)
        down += 1 + len(group.bars) + GAP
    for place, (at, text) in enumerate(marks):
        side = "left" if place else "right"  # so that near marks do not cover each other
        axes.text(at, down + 0.45, picture.put(text), color=INK, ha=side, va="center")
    axes.set_xlim(lowest, longest + (longest - lowest) * ROOM)
    axes.set_ylim(lines, 0)
    axes.set_axis_off()
    return svg(figure, picture)


@settings()
def columns(
    picture: Picture,
    months: Sequence[date],
    stacks: Sequence[Stack],
    show: Callable[[int], str],
) -> str:
    """Return a column for each month, stacks above and below zero; LINE_STYLE makes a line."""
    legend = [(stack.name, stack.style) for stack in stacks]
    figure, axes = _canvas(picture, legend, _Frame(PLOT + 2 * LINE, LEFT, 2 * LINE))
    above, below = [0] * len(months), [0] * len(months)
    highest = 1
    for stack in stacks:
        if stack.style == LINE_STYLE:
            axes.plot(stack.values, **LINE_DRAWN)
            highest = max(highest, *stack.values)
        else:
            _pile(axes, stack, above, below)
    axes.set_xlim(-0.6, len(months) - 0.4)
    axes.set_ylim(min(below) * ABOVE_ALL, max(highest, *above) * ABOVE_ALL)
    _write_amounts(axes, picture, show)
    _write_months(axes, picture, months)
    return svg(figure, picture)


def _canvas(
    picture: Picture, legend: Sequence[tuple[str, int]], frame: _Frame
) -> tuple[Figure, Axes]:
    """Return a figure with its legend drawn on top, and the axes below it."""
    rows = -(-len(legend) // _columns_of(legend))
    whole = frame.height + rows * (LINE + 2) + 6
    figure = Figure(figsize=(WIDTH / POINTS, whole / POINTS), facecolor="none")
    if legend:
        _write_legend(figure, picture, legend, rows * (LINE + 2) / whole)
    inner = (WIDTH - frame.left - 2) / WIDTH, (frame.height - frame.below) / whole
    axes = figure.add_axes((frame.left / WIDTH, frame.below / whole, *inner), facecolor="none")
    return figure, axes


def _write_legend(
    figure: Figure, picture: Picture, legend: Sequence[tuple[str, int]], share: float
) -> None:
    wide = _columns_of(legend)
    axes = figure.add_axes((0, 1 - share, 1, share))
    axes.set(xlim=(0, WIDTH), ylim=(-(-len(legend) // wide), 0))
    axes.set_axis_off()
    for place, (name, style) in enumerate(legend):
        row, column = divmod(place, wide)
        left = 2 + column * WIDTH / wide
        if style == LINE_STYLE:
            axes.plot([left, left + 22], [row + 0.5] * 2, **LINE_DRAWN)
        else:
            _box(axes, (left, row + 0.18), (22, 0.64), style)
        axes.text(left + 28, row + 0.5, picture.put(name), color=INK, va="center")


def _columns_of(legend: Sequence[tuple[str, int]]) -> int:
    """Return how many names a line of the legend has room for."""
    return 2 if all(len(name) <= LONGEST_NAME for name, _ in legend) else 1


def _written(group: BarGroup) -> str:
    """Return what has room above bars; the table has it whole."""
    about = f" · {group.about}" if group.about else ""
    room = max(SHORTEST_LABEL, LONGEST_LABEL - len(about))
    label = group.label if len(group.label) <= room else f"{group.label[: room - 1]}…"
    return label + about


def _pile(axes: Axes, stack: Stack, above: list[int], below: list[int]) -> None:
    """Put one value on each column, whose height so far is in `above` and `below`."""
    for at, value in enumerate(stack.values):
        base = above if value >= 0 else below
        if value:
            _box(axes, (at - BAR / 2, base[at]), (BAR, value), stack.style)
        base[at] += value


def _lying(axes: Axes, picture: Picture, bar: Bar, top: float) -> None:
    _box(axes, (0, top + (1 - BAR) / 2), (bar.value, BAR), bar.style)
    axes.annotate(
        picture.put(bar.text),
        (max(0, bar.value), top + 0.5),
        xytext=(5, 0),
        textcoords="offset points",
        color=INK,
        va="center",
    )


def _box(axes: Axes, corner: tuple[float, float], size: tuple[float, float], style: int) -> None:
    colour, hatch = STYLES[style % len(STYLES)]
    box = Rectangle(corner, *size, facecolor=colour, edgecolor=INK, hatch=hatch, linewidth=0.7)
    axes.add_patch(box)


def _write_amounts(axes: Axes, picture: Picture, show: Callable[[int], str]) -> None:
    lowest, highest = axes.get_ylim()
    ticks = MaxNLocator(4, integer=True).tick_values(lowest, highest)
    inside = [int(tick) for tick in ticks if lowest <= tick <= highest]
    axes.set_yticks(inside, [picture.put(show(tick)) for tick in inside], color=INK)
    axes.grid(visible=True, axis="y", color=INK, alpha=0.2, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.axhline(0, color=INK, linewidth=0.9)


def _write_months(axes: Axes, picture: Picture, months: Sequence[date]) -> None:
    """Write the number of each month, and the year below the first one of it."""
    axes.set_xticks([])
    for at, month in enumerate(months):
        texts = [f"{month:%m}"]
        texts += [f"{month.year}"] if at == 0 or month.month == 1 else []
        for down, text in enumerate(texts):
            axes.annotate(
                picture.put(text),
                (at, 0),
                xycoords=("data", "axes fraction"),
                xytext=(0, -12 - LINE * down),
                textcoords="offset points",
                color=INK,
                ha="center",
            )
