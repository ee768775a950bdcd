"""Days and amounts as people read and say them, in French and English. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.money import show_euros

if TYPE_CHECKING:
    from datetime import date

    from provision.formats.facturx.invoice import Unit
    from provision.languages import Language
    from provision.money import Cents

MONTHS = {
    "fr": (
        *("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août"),
        *("septembre", "octobre", "novembre", "décembre"),
    ),
    "en": (
        *("January", "February", "March", "April", "May", "June", "July", "August"),
        *("September", "October", "November", "December"),
    ),
}
SMALL = {
    "fr": (
        *("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix"),
        *("onze", "douze", "treize", "quatorze", "quinze", "seize"),
        *("dix-sept", "dix-huit", "dix-neuf"),
    ),
    "en": (
        *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
        *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen"),
        *("seventeen", "eighteen", "nineteen"),
    ),
}
TENS = {
    "fr": ("", "", "vingt", "trente", "quarante", "cinquante", "soixante"),
    "en": ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"),
}
UNITS: dict[Language, dict[Unit, tuple[str, str]]] = {
    "fr": {
        "month": ("mois", "mois"),
        "year": ("an", "ans"),
        "day": ("jour", "jours"),
        "hour": ("heure", "heures"),
        "piece": ("", ""),
    },
    "en": {
        "month": ("month", "months"),
        "year": ("year", "years"),
        "day": ("day", "days"),
        "hour": ("hour", "hours"),
        "piece": ("", ""),
    },
}
BEYOND = 1_000_000_000  # euros: nobody writes such a receipt
HUNDRED, THOUSAND, MILLION = 100, 1000, 1_000_000
SIXTY, EIGHTY = 60, 80
SCALES = ((MILLION, "million"), (THOUSAND, "thousand"), (HUNDRED, "hundred"))


def day(date_: date, language: Language) -> str:
    """Return '1er mars 2026' or '1 March 2026'."""
    month = MONTHS[language][date_.month - 1]
    first = "er" if language == "fr" and date_.day == 1 else ""
    return f"{date_.day}{first} {month} {date_.year}"


def quantity(count: int, unit: Unit, language: Language) -> str:
    """Return '3 heures', '-1 month', or only the count of pieces."""
    singular, plural = UNITS[language][unit]
    return f"{count}\u00a0{singular if abs(count) == 1 else plural}" if singular else str(count)


def amount_in_words(units: Cents, language: Language) -> str:
    """Return 'quatre-vingts euros et un centime' or 'eighty euros and one cent'.

    French follows the spelling of 1990 (hyphens between all words of a number). Raises PaquetError
    below zero and from a thousand million euros on.
    """
    euros, cents = divmod(units, HUNDRED)
    if not 0 <= euros < BEYOND:
        raise PaquetError(f"{show_euros(units)} cannot be written in words", "Check the amount.")
    coin = "centime" if language == "fr" else "cent"
    parts = [f"{number_in_words(euros, language)} {_of(euros, language)}"]
    if cents:
        parts.append(f"{number_in_words(cents, language)} {coin}{_s(cents, language)}")
    joined = " et " if language == "fr" else " and "
    return joined.join(parts)


def number_in_words(number: int, language: Language) -> str:
    """Return a number from 0 to 999,999,999 in words."""
    return _french(number) if language == "fr" else _english(number)


def _of(euros: int, language: Language) -> str:
    """Return 'euros', after a round number of millions 'd’euros'."""
    if language == "fr" and euros and not euros % MILLION:
        return "d’euros"
    return f"euro{_s(euros, language)}"


def _s(number: int, language: Language) -> str:
    """Return the mark of the plural: in French from two on, in English for all but one."""
    plural = number > 1 if language == "fr" else number != 1
    return "s" if plural else ""


def _french(number: int, *, ends: bool = True) -> str:
    """Return the words; `ends` is False before 'mille', where vingt and cent take no s."""
    if number >= MILLION:
        millions, rest = divmod(number, MILLION)
        words = f"{_french(millions)}-million{_s(millions, 'fr')}"
        return f"{words}-{_french(rest)}" if rest else words
    if number >= THOUSAND:
        thousands, rest = divmod(number, THOUSAND)
        words = "mille" if thousands == 1 else f"{_french(thousands, ends=False)}-mille"
        return f"{words}-{_french(rest)}" if rest else words
    if number >= HUNDRED:
        hundreds, rest = divmod(number, HUNDRED)
        words = "cent" if hundreds == 1 else f"{_french(hundreds)}-cent"
        if rest:
            return f"{words}-{_french(rest, ends=ends)}"
        return f"{words}s" if hundreds > 1 and ends else words
    return _french_below_hundred(number, ends=ends)


def _french_below_hundred(number: int, *, ends: bool) -> str:
    """Count by twenties from sixty on: soixante-et-onze, quatre-vingt-un, quatre-vingt-onze."""
    small = SMALL["fr"]
    if number < len(small):
        return small[number]
    if number >= EIGHTY:
        rest = number - EIGHTY
        return f"quatre-vingt-{small[rest]}" if rest else f"quatre-vingt{'s' if ends else ''}"
    ten, rest = (SIXTY // 10, number - SIXTY) if number >= SIXTY else divmod(number, 10)
    tens = TENS["fr"][ten]
    if not rest:
        return tens
    return f"{tens}-et-{small[rest]}" if rest in {1, 11} else f"{tens}-{small[rest]}"


def _english(number: int) -> str:
    small = SMALL["en"]
    if number < len(small):
        return small[number]
    if number < HUNDRED:
        ten, rest = divmod(number, 10)
        return f"{TENS['en'][ten]}-{small[rest]}" if rest else TENS["en"][ten]
    size, name = next(scale for scale in SCALES if number >= scale[0])
    count, rest = divmod(number, size)
    words = f"{_english(count)} {name}"
    if not rest:
        return words
    return f"{words} and {_english(rest)}" if rest < HUNDRED else f"{words} {_english(rest)}"
