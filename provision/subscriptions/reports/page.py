"""The report as one page that needs nothing else: no network, no script, no font."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.rendering import render
from provision.subscriptions.reports import chapters_commons, chapters_money, chapters_people
from provision.subscriptions.reports.blocks import Tile
from provision.subscriptions.reports.coverage import worst
from provision.subscriptions.reports.wording import wording

if TYPE_CHECKING:
    from provision.subscriptions.reports.figures import Figures
    from provision.subscriptions.reports.wording import Wording

# In the order in which an assembly talks about them.
CHAPTERS = (
    chapters_money.euro,
    chapters_money.carries,
    chapters_people.people,
    chapters_money.cannot,
    chapters_commons.gives,
    chapters_people.places,
    chapters_commons.thresholds,
)


def page(figures: Figures, language: str = "fr") -> str:
    """Return the page in French (`fr`) or English (`en`); the same bytes for the same figures.

    Raises UsageRefused for another language.
    """
    words = wording(language)
    chapters = [chapter(figures, words) for chapter in CHAPTERS]
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
            "chapters": chapters,
        },
    )


def _tiles(figures: Figures, words: Wording) -> tuple[Tile, ...]:
    last, hardest = figures.movements[-1], worst(figures.coverage)
    return (
        Tile(str(last.closed), words.say("tiles.subscribers")),
        Tile(words.money(last.closing), words.say("tiles.revenue")),
        Tile(words.percent(hardest.ratio if hardest else None), words.say("tiles.worst")),
        Tile(words.money(chapters_money.late(figures)), words.say("tiles.late")),
    )
