from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provision.errors import PaquetError
from provision.formats.books import beancount, hledger
from provision.formats.books import plaintext_names as names
from provision.formats.books.balances import trial_balance
from provision.formats.books.plaintext import LONGEST, one_line
from provision.money import Amount, Commodity, plain
from tests.unit.formats.books.export_examples import (
    HOUR,
    JOURNAL,
    TEXTS,
    assert_golden,
    entry,
    journals,
    line,
)

if TYPE_CHECKING:
    from provision.formats.books.booked import Booked

DAY = date(2026, 6, 1)


def test_the_journals_are_the_golden_ones() -> None:
    assert_golden("journal.hledger", hledger.journal("L'association", JOURNAL).encode())
    assert_golden("journal.beancount", beancount.journal("L'association", JOURNAL).encode())


def test_a_journal_without_entries_is_still_one() -> None:
    assert hledger.journal("Vide", ()) == "; Vide\ndecimal-mark .\n"
    assert beancount.journal("Vide", ()).startswith('option "title" "Vide"\n')


@pytest.mark.parametrize(
    ("account", "kind"),
    [
        ("101", "Equity"),
        ("120", "Equity"),
        ("151", "Liabilities"),
        ("164", "Liabilities"),
        ("194", "Liabilities"),
        ("218", "Assets"),
        ("310", "Assets"),
        ("401", "Liabilities"),
        ("4091", "Assets"),
        ("411", "Assets"),
        ("418", "Assets"),
        ("4191", "Liabilities"),
        ("421", "Liabilities"),
        ("4287", "Assets"),
        ("44566", "Assets"),
        ("44571", "Liabilities"),
        ("455", "Liabilities"),
        ("467", "Liabilities"),
        ("486", "Assets"),
        ("487", "Liabilities"),
        ("491", "Assets"),
        ("512", "Assets"),
        ("5191", "Liabilities"),
        ("606", "Expenses"),
        ("756", "Income"),
        ("864", "Equity"),
    ],
)
def test_each_account_is_of_the_kind_of_its_place_in_the_balance_sheet(
    account: str, kind: str
) -> None:
    assert names.kind(account) == kind
    assert beancount.account_name(account) == f"{kind}:{account}"
    assert hledger.account_name(account) == f"{kind.lower()}:{account}"


def test_hours_are_written_as_whole_seconds() -> None:
    third = entry(1, "OD", DAY, (line("864", 1200, "", HOUR), line("875", -1200, "", HOUR)))
    for text in (hledger.journal("", [third]), beancount.journal("", [third])):
        assert "  1200 SECOND\n" in text
        assert "HOUR" not in text


@pytest.mark.parametrize("code", ["SECOND", "eur", "E", "EUR\n", 'A"B', "A B", "É" * 3, "A" * 21])
def test_a_commodity_that_a_journal_cannot_name_is_refused(code: str) -> None:
    odd = Commodity(code, "?", 2)
    wrong = entry(1, "OD", DAY, (line("530", 5, "", odd), line("706", -5, "", odd)))
    for write in (hledger.journal, beancount.journal):
        with pytest.raises(PaquetError, match="cannot be named"):
            write("", [wrong])


def test_an_entry_that_does_not_balance_is_in_no_journal() -> None:
    wrong = entry(1, "VT", DAY, (line("411", 2), line("706", -1)))
    for write in (hledger.journal, beancount.journal):
        with pytest.raises(PaquetError, match="does not balance"):
            write("", [wrong])


@given(st.integers(-(10**15), 10**15), st.integers(0, 4))
def test_numbers_are_written_with_all_their_digits(units: int, decimals: int) -> None:
    written = names.number(units, decimals)
    if decimals:
        assert written == plain(Amount(Commodity("X", "x", decimals), units))
    else:
        assert written == str(units)


@given(TEXTS)
def test_any_text_becomes_one_line_that_can_be_seen(text: str) -> None:
    line = one_line(text, ";|")
    assert line.isprintable()
    assert len(line) <= LONGEST
    assert not set(line) & set(";|")
    assert line == line.strip()
    assert one_line(line, ";|") == line


@settings(deadline=None, max_examples=60)
@given(journals())
def test_hostile_text_adds_no_line_to_a_journal(entries: tuple[Booked, ...]) -> None:
    """With all text taken away the file has the same lines: text never makes one."""
    bare = [
        replace(
            one,
            text="",
            piece="",
            lines=tuple(replace(each, label="", party_label="") for each in one.lines),
        )
        for one in entries
    ]
    for write in (hledger.journal, beancount.journal):
        assert write("T", entries).count("\n") == write("T", bare).count("\n")


def test_the_trial_balance_adds_up_by_account_and_commodity() -> None:
    found = {
        (one.account, one.commodity.code): (one.debit, one.credit, one.units)
        for one in trial_balance(JOURNAL)
    }
    assert found["411", "EUR"] == (1200, 1200, 0)
    assert found["411", "CAIRN38"] == (500, 0, 500)
    assert found["875", "HOUR"] == (0, 5400, -5400)
    assert found["401", "EUR"] == (0, 30001, -30001)
    assert len(found) == 10


@settings(deadline=None, max_examples=60)
@given(journals())
def test_the_trial_balance_comes_to_zero_in_each_commodity(entries: tuple[Booked, ...]) -> None:
    sums: dict[str, int] = {}
    for one in trial_balance(entries):
        assert min(one.debit, one.credit) >= 0
        sums[one.commodity.code] = sums.get(one.commodity.code, 0) + one.units
    assert set(sums.values()) == {0}
