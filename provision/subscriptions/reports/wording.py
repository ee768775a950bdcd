"""What a report says, in the reader's language: words, amounts, shares, hours and days."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from provision.errors import UsageRefused
from provision.money import NARROW_SPACE, NO_BREAK_SPACE, half_up, show_euros
from provision.shipped import share
from provision.subscriptions.reports.hours import SECONDS_OF_AN_HOUR

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from fractions import Fraction

    from provision.money import Cents

LANGUAGES = ("fr", "en")
CENTS_OF_A_EURO = 100
UNKNOWN = "–"


@dataclass(frozen=True)
class Wording:
    """One language of the report; `words` is the content of its file."""

    language: str
    words: Mapping[str, Any]

    def say(self, key: str, **values: object) -> str:
        """Return the words at `chapter.key`, the values put in; a value is never read as words."""
        words: Any = self.words
        for step in key.split("."):
            words = words[step]
        text: str = words
        return text.format_map(values) if values else text

    def name(self, group: str, code: str) -> str:
        """Return what a code of a group is called, or the code where people made it up."""
        return str(self.words[group].get(code, code))

    def text(self, text: object) -> str:
        """Return what people wrote, as it is."""
        return str(text)

    def count(self, number: object) -> str:
        """Return a number of things or persons."""
        return str(number)

    def place(self, territory: str) -> str:
        """Return a territory, or words for none."""
        return territory or self.say("page.nowhere")

    def money(self, cents: Cents) -> str:
        """Return an amount to the cent."""
        return show_euros(cents, self.language)

    def short(self, cents: Cents) -> str:
        """Return an amount without its cents where there are none, for the side of a chart."""
        exact = self.money(cents)
        if cents % CENTS_OF_A_EURO:
            return exact
        return exact.replace(f",00{NO_BREAK_SPACE}", NO_BREAK_SPACE).removesuffix(".00")

    def percent(self, part: Fraction | None) -> str:
        """Return a share as percent with one decimal, rounded half up."""
        if part is None:
            return UNKNOWN
        return self._tenths(half_up(*(part * 1000).as_integer_ratio())) + self._unit("%")

    def hundredths(self, basis_points: int | None) -> str:
        """Return basis points as percent with both decimals, so that shares add up to 100."""
        if basis_points is None:
            return UNKNOWN
        whole, rest = divmod(basis_points, CENTS_OF_A_EURO)
        point = "," if self.language == "fr" else "."
        return f"{whole}{point}{rest:02}" + self._unit("%")

    def hours(self, seconds: int) -> str:
        """Return seconds as hours with one decimal, rounded half up."""
        return self._tenths(half_up(seconds * 10, SECONDS_OF_AN_HOUR)) + f"{NO_BREAK_SPACE}h"

    def month(self, month: date) -> str:
        """Return the name of a month with its year."""
        return f"{self.words['months'][month.month - 1]} {month.year}"

    def day(self, day: date) -> str:
        """Return a day in words."""
        first = self.words["first_of_month"] if day.day == 1 else str(day.day)
        return f"{first} {self.month(day)}"

    def _tenths(self, tenths: int) -> str:
        whole, rest = divmod(abs(tenths), 10)
        grouped = f"{whole:,}"
        minus = "-" if tenths < 0 else ""
        if self.language == "fr":
            return f"{minus}{grouped.replace(',', NARROW_SPACE)},{rest}"
        return f"{minus}{grouped}.{rest}"

    def _unit(self, unit: str) -> str:
        return f"{NARROW_SPACE}{unit}" if self.language == "fr" else unit


@cache
def wording(language: str) -> Wording:
    """Return the words of a language: `fr` or `en`."""
    if language not in LANGUAGES:
        raise UsageRefused(f"{language[:20]!r} is not a language of reports", "Use fr or en.")
    path = share("templates") / "money" / f"report.{language}.toml"
    return Wording(language, tomllib.loads(path.read_text(encoding="utf-8")))
