"""The report as one page that needs nothing else: no network, no script, no font."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.rendering import render
from provision.subscriptions.reports.chapters import CHAPTERS
from provision.subscriptions.reports.coverage import worst
from provision.subscriptions.reports.making import make
from provision.subscriptions.reports.sentences import late
from provision.subscriptions.reports.wording import wording

if TYPE_CHECKING:
    from provision.subscriptions.reports.figures import Figures
    from provision.subscriptions.reports.wording import Wording


@dataclass(frozen=True)
class Tile:
    """A number to remember, and what it counts."""

    value: str
    label: str


def page(figures: Figures, language: str = "fr") -> str:
    """Return the page in French (`fr`) or English (`en`); the same bytes for the same figures.

    Raises UsageRefused for another language.
    """
    words = wording(language)
    period = words.say(
        "page.period",
        first=words.month(figures.months[0]),
        last=words.month(figures.months[-1]),
        day=words.day(figures.until),
    )
    return render(
        "money/report.html",
        {
            "language": language,
            "title": figures.title,
            "period": period,
            "words": words.words["page"],
            "tiles": _tiles(figures, words),
            "chapters": [make(chapter, figures, words) for chapter in CHAPTERS],
        },
    )


def _tiles(figures: Figures, words: Wording) -> tuple[Tile, ...]:
    last, hardest = figures.movements[-1], worst(figures.coverage)
    return (
        Tile(str(last.closed), words.say("tiles.subscribers")),
        Tile(words.money(last.closing), words.say("tiles.revenue")),
        Tile(words.percent(hardest.ratio if hardest else None), words.say("tiles.worst")),
        Tile(words.money(late(figures)), words.say("tiles.late")),
    )
