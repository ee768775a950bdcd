from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any, Literal

import pytest
from lxml import html

from provision.errors import PaquetError
from provision.formats.sepa.mandates import MandateParty
from provision.formats.sepa.prenotification import Notice, announce
from tests.unit.formats.sepa.sepa_examples import DUE, MANDATE, TODAY, assert_golden

NOTICE = Notice(
    MANDATE, (("F2026-000123", 123450),), DUE, "contact@atelier.example, 04 77 00 00 00"
)


def test_the_letter_is_the_golden_one() -> None:
    letter = announce(NOTICE, TODAY)
    assert_golden("prenotification.txt", f"{letter.subject}\n\n{letter.text}")
    assert_golden("prenotification.html", letter.html)


@pytest.mark.parametrize("year", [1900, 9999])
def test_a_letter_of_another_century_is_refused(year: int) -> None:
    with pytest.raises(PaquetError, match="cannot be the day of a letter"):
        announce(NOTICE, dt.date(year, 12, 31))


@pytest.mark.parametrize("language", ["fr", "en"])
def test_text_and_page_say_amount_day_mandate_creditor_invoice_and_how_to_object(
    language: Literal["fr", "en"],
) -> None:
    letter = announce(NOTICE, TODAY, language=language)
    day = {"fr": "15 décembre 2026", "en": "15 December 2026"}[language]
    amount = {"fr": "1\u202f234,50\u00a0€", "en": "€1,234.50"}[language]
    page = html.fromstring(letter.html).text_content()
    for needed in (
        amount, day, "TOPO-000042", "FR72ZZZ123456", "F2026-000123", "contact@atelier.example",
        "FR76 … 0189", "8 ", "13 ",
    ):  # fmt: skip
        assert needed in letter.text
        assert needed in page
    assert amount in letter.subject


def test_a_letter_speaks_one_language() -> None:
    french, english = announce(NOTICE, TODAY), announce(NOTICE, TODAY, language="en")
    assert french.subject.startswith("Prélèvement")
    assert english.subject.startswith("Direct debit")
    for text in (french.text, french.html):
        assert ("Bonjour" in text, "Hello" in text) == (True, False)
    for text in (english.text, english.html):
        assert ("Bonjour" in text, "Hello" in text) == (False, True)
    assert '<html lang="en">' in english.html
    assert "\n" not in french.subject + english.subject


@pytest.mark.parametrize(
    ("language", "sum_", "parts"),
    [
        ("fr", "3,50\u00a0€", ("- F2026-1 : 1,00\u00a0€", "- F2026-2 : 2,50\u00a0€")),
        ("en", "€3.50", ("- F2026-1: €1.00", "- F2026-2: €2.50")),
    ],
)
def test_a_debit_for_several_invoices_tells_the_sum_and_each_part(
    language: Literal["fr", "en"], sum_: str, parts: tuple[str, str]
) -> None:
    notice = replace(NOTICE, invoices=(("F2026-1", 100), ("F2026-2", 250)))
    letter = announce(notice, TODAY, language=language)
    assert sum_ in letter.subject
    assert "2 " in letter.subject
    assert sum_ in letter.text
    for part in parts:
        assert part in letter.text
    page = html.fromstring(letter.html).text_content()
    assert "F2026-1, " in page
    assert "F2026-2, " in page


def test_the_first_of_a_month_is_written_as_the_french_do() -> None:
    first = replace(NOTICE, collect_on=dt.date(2027, 2, 1))
    assert "le 1er février 2027" in announce(first, TODAY).text
    assert "on 1 February 2027" in announce(first, TODAY, language="en").text


def test_fourteen_days_are_kept_unless_fewer_are_agreed() -> None:
    announce(NOTICE, TODAY)
    with pytest.raises(PaquetError, match="must be announced 14 days before") as refused:
        announce(NOTICE, TODAY + dt.timedelta(days=1))
    assert refused.value.hint == "Collect it on 2026-12-16 or later."
    announce(NOTICE, TODAY + dt.timedelta(days=9), days=5)


@pytest.mark.parametrize("wrong", [{"days": 0}, {"days": 366}])
def test_a_letter_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(PaquetError):
        announce(NOTICE, TODAY, **wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"invoices": ()},
        {"invoices": (("F2026-1", 0),)},
        {"invoices": (("F2026-1", 12.5),)},
        {"invoices": (("F2026-1", 999_999_999_99), ("F2026-2", 1))},
        {"collect_on": dt.date(2026, 12, 25)},
        {"collect_on": dt.date(9999, 1, 4)},
        {"invoices": (("F 1\nBcc: x", 100),)},
        {"contact": "a\nb"},
        {"contact": ""},
        {"mandate": replace(MANDATE, signed_on=None)},
        {"mandate": replace(MANDATE, last_collected_on=dt.date(2023, 12, 14))},
    ],
)
def test_a_debit_that_cannot_happen_is_not_announced(wrong: dict[str, Any]) -> None:
    with pytest.raises(PaquetError):
        replace(NOTICE, **wrong)


def test_a_name_is_text_and_never_markup_or_a_template() -> None:
    hostile = replace(MANDATE, debtor=MandateParty("<b>{{ 7 * 7 }}</b>"))
    letter = announce(replace(NOTICE, mandate=hostile), TODAY)
    assert "<b>{{ 7 * 7 }}</b>" in letter.text
    assert "&lt;b&gt;{{ 7 * 7 }}&lt;/b&gt;" in letter.html


def test_the_letter_never_says_the_whole_account() -> None:
    letter = announce(NOTICE, TODAY)
    assert MANDATE.iban not in (letter.text + letter.html).replace(" ", "")
