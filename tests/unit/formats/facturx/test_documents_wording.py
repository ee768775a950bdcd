from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.errors import PaquetError
from provision.formats.facturx.wording import amount_in_words, day, number_in_words, quantity

if TYPE_CHECKING:
    from provision.formats.facturx.invoice import Unit
    from provision.languages import Language


@pytest.mark.parametrize(
    ("number", "french", "english"),
    [
        (0, "zéro", "zero"),
        (1, "un", "one"),
        (16, "seize", "sixteen"),
        (17, "dix-sept", "seventeen"),
        (21, "vingt-et-un", "twenty-one"),
        (22, "vingt-deux", "twenty-two"),
        (30, "trente", "thirty"),
        (60, "soixante", "sixty"),
        (61, "soixante-et-un", "sixty-one"),
        (70, "soixante-dix", "seventy"),
        (71, "soixante-et-onze", "seventy-one"),
        (72, "soixante-douze", "seventy-two"),
        (79, "soixante-dix-neuf", "seventy-nine"),
        (80, "quatre-vingts", "eighty"),
        (81, "quatre-vingt-un", "eighty-one"),
        (90, "quatre-vingt-dix", "ninety"),
        (91, "quatre-vingt-onze", "ninety-one"),
        (99, "quatre-vingt-dix-neuf", "ninety-nine"),
        (100, "cent", "one hundred"),
        (101, "cent-un", "one hundred and one"),
        (180, "cent-quatre-vingts", "one hundred and eighty"),
        (200, "deux-cents", "two hundred"),
        (201, "deux-cent-un", "two hundred and one"),
        (999, "neuf-cent-quatre-vingt-dix-neuf", "nine hundred and ninety-nine"),
        (1000, "mille", "one thousand"),
        (1001, "mille-un", "one thousand and one"),
        (1100, "mille-cent", "one thousand one hundred"),
        (2000, "deux-mille", "two thousand"),
        (80_000, "quatre-vingt-mille", "eighty thousand"),
        (200_000, "deux-cent-mille", "two hundred thousand"),
        (280_080, "deux-cent-quatre-vingt-mille-quatre-vingts", None),
        (1_000_000, "un-million", "one million"),
        (2_000_001, "deux-millions-un", "two million and one"),
        (80_000_000, "quatre-vingts-millions", "eighty million"),
        (200_000_000, "deux-cents-millions", "two hundred million"),
    ],
)
def test_numbers_are_spelled_as_in_the_grammar(
    number: int, french: str, english: str | None
) -> None:
    assert number_in_words(number, "fr") == french
    if english:
        assert number_in_words(number, "en") == english


@pytest.mark.parametrize(
    ("cents", "french", "english"),
    [
        (0, "zéro euro", "zero euros"),
        (1, "zéro euro et un centime", "zero euros and one cent"),
        (100, "un euro", "one euro"),
        (150, "un euro et cinquante centimes", "one euro and fifty cents"),
        (8001, "quatre-vingts euros et un centime", "eighty euros and one cent"),
        (123_456, None, "one thousand two hundred and thirty-four euros and fifty-six cents"),
        (100_000_000, "un-million d’euros", "one million euros"),
        (200_000_002, "deux-millions d’euros et deux centimes", None),
        (100_000_100, "un-million-un euros", "one million and one euros"),
    ],
)
def test_amounts_are_written_out(cents: int, french: str | None, english: str | None) -> None:
    if french:
        assert amount_in_words(cents, "fr") == french
    if english:
        assert amount_in_words(cents, "en") == english


@pytest.mark.parametrize("cents", [-1, 100_000_000_000])
def test_an_amount_that_no_receipt_has_is_refused(cents: int) -> None:
    with pytest.raises(PaquetError, match="cannot be written in words"):
        amount_in_words(cents, "fr")


@given(st.integers(0, 99_999_999_999), st.integers(0, 99_999_999_999))
def test_two_amounts_never_read_alike(one: int, other: int) -> None:
    languages: tuple[Language, Language] = ("fr", "en")
    for language in languages:
        same = amount_in_words(one, language) == amount_in_words(other, language)
        assert same == (one == other)


def test_days_are_written_as_people_do() -> None:
    assert day(date(2026, 3, 1), "fr") == "1er mars 2026"
    assert day(date(2026, 12, 31), "fr") == "31 décembre 2026"
    assert day(date(2026, 8, 1), "en") == "1 August 2026"


@pytest.mark.parametrize(
    ("count", "unit", "french", "english"),
    [
        (1, "month", "1\u00a0mois", "1\u00a0month"),
        (-1, "hour", "-1\u00a0heure", "-1\u00a0hour"),
        (12, "year", "12\u00a0ans", "12\u00a0years"),
        (3, "piece", "3", "3"),
    ],
)
def test_quantities_say_what_is_counted(count: int, unit: Unit, french: str, english: str) -> None:
    assert quantity(count, unit, "fr") == french
    assert quantity(count, unit, "en") == english
