from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from provision.errors import PaquetError
from provision.formats.books import fec, fec_check
from provision.formats.books.balances import trial_balance
from provision.formats.books.booked import BookedLine
from provision.formats.books.fec import Form
from provision.formats.books.fec_description import describe
from provision.money import EUR, Amount, Commodity
from tests.unit.formats.books.export_examples import (
    EXERCISE,
    HOUR,
    JOURNAL,
    OPENING,
    SHOP,
    assert_golden,
    entry,
    journals,
    line,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from provision.formats.books.booked import Booked
    from provision.formats.books.fec import Exercise

NAME = "732829320FEC20261231.txt"
DIMES = Commodity("EUR", "€", 1)
FRANC, TAB = Commodity("CHF", "CHF", 2), Commodity("C\tF", "CHF", 2)
DAY = date(2026, 6, 1)
SALE = (line("411", 1200), line("706", -1200))


def written(
    entries: Iterable[Booked], opening: Sequence[BookedLine] = (), form: Form = fec.STANDARD
) -> bytes:
    return b"".join(fec.lines(EXERCISE, entries, opening, form))


def rows(content: bytes) -> list[dict[str, str]]:
    header, *lines = content.decode().removesuffix("\r\n").split("\r\n")
    return [dict(zip(header.split("\t"), one.split("\t"), strict=True)) for one in lines]


def test_the_file_is_the_golden_one() -> None:
    assert_golden(NAME, written(JOURNAL, OPENING))


def test_the_description_is_the_golden_one() -> None:
    assert_golden("fec-description.txt", describe(EXERCISE).encode())


def test_the_description_tells_the_form_that_was_chosen() -> None:
    text = describe(EXERCISE, Form("|", "\n"))
    assert "barre verticale" in text
    assert "fin de ligne (0x0A)" in text
    assert "tabulation" not in text


def test_the_file_is_named_after_siren_and_closing_day() -> None:
    assert fec.file_name(EXERCISE) == NAME
    assert fec.file_name(replace(EXERCISE, siren="732 829 320")) == NAME


@pytest.mark.parametrize(
    ("exercise", "why"),
    [
        (replace(EXERCISE, siren="732829321"), "is not a SIREN"),
        (replace(EXERCISE, siren="../../etc"), "is not a SIREN"),
        (replace(EXERCISE, last_day=date(2025, 12, 31)), "begins before it ends"),
        (replace(EXERCISE, last_day=date(2028, 6, 1)), "two years at most"),
    ],
)
def test_a_wrong_exercise_writes_not_even_a_header(exercise: Exercise, why: str) -> None:
    with pytest.raises(PaquetError, match=why):
        next(fec.lines(exercise, JOURNAL))


@pytest.mark.parametrize("form", [Form(a, b) for a in ("\t", "|") for b in ("\r\n", "\n")])
def test_our_checker_finds_nothing_in_any_form(form: Form) -> None:
    report = fec_check.check(NAME, written(JOURNAL, OPENING, form), EXERCISE.first_day)
    assert report.findings == ()
    assert (report.entries, report.lines) == (4, 9)
    assert report.debit == report.credit == 150_000 + 1200 + 1200 + 30001


@settings(deadline=None)
@given(journals())
def test_any_journal_passes_our_checker_with_the_sums_of_the_model(
    entries: tuple[Booked, ...],
) -> None:
    content = written(entries)
    report = fec_check.check(NAME, content, EXERCISE.first_day)
    euros = [one for one in trial_balance(entries) if one.commodity == EUR]
    drawn = {"no line", "letter balance"}  # letters are drawn too, and mean nothing
    assert [one for one in report.findings if one.rule not in drawn] == []
    assert report.debit == sum(one.debit for one in euros)
    assert report.credit == sum(one.credit for one in euros)
    by_account = {one.account: one.units for one in euros}
    assert sums_by_account(content) == by_account


def sums_by_account(content: bytes) -> dict[str, int]:
    sums: dict[str, int] = {}
    for row in rows(content):
        units = int(row["Debit"].replace(",", "")) - int(row["Credit"].replace(",", ""))
        sums[row["CompteNum"]] = sums.get(row["CompteNum"], 0) + units
    return sums


def test_one_cent_more_is_found() -> None:
    """The negative control: the same checker on the same file, vandalised."""
    content = written(JOURNAL).replace(b"\t300,01\t", b"\t300,02\t", 1)
    assert {one.rule for one in fec_check.check(NAME, content).findings} == {"balance", "total"}


def test_hours_and_local_money_are_not_in_the_file_and_leave_no_gap() -> None:
    found = rows(written(JOURNAL))
    assert [row["EcritureNum"] for row in found] == ["1", "1", "1", "2", "2", "3", "3"]
    assert [row["EcritureLib"] for row in found][-1] == "Abonnement 4 (écriture 4)"
    assert {row["CompteNum"] for row in found}.isdisjoint({"864", "875", "530"})


def test_the_opening_is_the_first_entry_without_its_empty_lines() -> None:
    found = rows(written(JOURNAL, OPENING))
    assert [row["JournalCode"] for row in found][:3] == ["AN", "AN", "VT"]
    assert [row["EcritureNum"] for row in found][:3] == ["1", "1", "2"]
    assert found[0]["EcritureDate"] == found[0]["ValidDate"] == "20260101"


def test_the_entry_that_closes_expenses_and_income_is_left_out() -> None:
    closing = entry(5, "OD", date(2026, 12, 31), (line("706", 1000), line("120", -1000)))
    carried = entry(6, "OD", date(2026, 12, 31), (line("120", 1000), line("110", -1000)))
    found = rows(written((*JOURNAL, closing, carried)))
    assert [row["CompteNum"] for row in found][-2:] == ["120", "110"]
    assert found[-1]["EcritureNum"] == "4"


def test_both_sides_are_always_there() -> None:
    for row in rows(written(JOURNAL)):
        assert sorted([row["Debit"] == "0,00", row["Credit"] == "0,00"]) == [False, True]


def test_what_was_paid_in_another_currency_keeps_its_amount() -> None:
    (row,) = (row for row in rows(written(JOURNAL)) if row["Idevise"])
    assert (row["CompteNum"], row["Debit"]) == ("604", "300,01")
    assert (row["Montantdevise"], row["Idevise"]) == ("290,00", "CHF")


def test_fields_that_the_law_wants_filled_are_never_empty() -> None:
    bare = BookedLine("411", "\t|", SHOP, " ", EUR, 5)
    empty = replace(entry(7, "VT", DAY, (bare, replace(bare, units=-5))), piece="\r\n", text="\x00")
    row = rows(written([empty]))[0]
    assert row["CompteLib"] == "Compte 411"
    assert row["CompAuxLib"] == SHOP
    assert row["PieceRef"] == "écriture 7"
    assert row["EcritureLib"] == "(écriture 7)"


def test_hostile_text_stays_in_its_field() -> None:
    hostile = replace(JOURNAL[0], text="a\tb|c\r\nd\x0be\u2028f", piece="\ud800x")
    row = rows(written([hostile]))[0]
    assert row["EcritureLib"] == "a b c d e f (écriture 1)"
    assert row["PieceRef"] == "x"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"lines": (line("411", 1200), line("706", -1199))}, "does not balance: €0.01 is left"),
        ({"lines": (line("411", 5), line("706", -5, "", HOUR))}, "does not balance"),
        ({"lines": (line("41", 5), line("706", -5))}, "'41', which is no account"),
        ({"lines": (line("900", 5), line("706", -5))}, "'900', which is no account"),
        ({"lines": (line("411", 0), line("706", 0))}, "not a whole amount"),
        ({"lines": (line("411", 0.5), line("706", -0.5))}, "not a whole amount"),  # type: ignore[arg-type]
        ({"lines": (line("411", 5, "Jeanne"), line("706", -5))}, "no reference: 'Jeanne'"),
        ({"lines": (replace(SALE[0], letter="A"), SALE[1])}, "a letter without its day"),
        ({"lines": (replace(SALE[0], lettered_on=DAY), SALE[1])}, "a day without its letter"),
        ({"lines": (replace(SALE[0], letter="é", lettered_on=DAY), SALE[1])}, "no letter"),
        ({"lines": (line("411", 5, "", DIMES), line("706", -5, "", DIMES))}, "else than cents"),
        ({"lines": (replace(SALE[0], foreign=Amount(FRANC, -9)), SALE[1])}, "two different signs"),
        ({"lines": (replace(SALE[0], foreign=Amount(FRANC, 0)), SALE[1])}, "two different signs"),
        ({"lines": (replace(SALE[0], foreign=Amount(TAB, 9)), SALE[1])}, "two odd currencies"),
        ({"lines": ()}, "fewer than two lines"),
        ({"journal": "XX"}, "not known: 'XX'"),
        ({"effective_on": date(2025, 12, 31)}, "took effect on 2025-12-31"),
        ({"effective_on": date(2027, 1, 1)}, "took effect on 2027-01-01"),
    ],
)
def test_an_entry_that_may_not_be_there_is_refused(change: dict[str, Any], why: str) -> None:
    with pytest.raises(PaquetError, match=why):
        written([replace(entry(1, "VT", DAY, SALE), **change)])


@pytest.mark.parametrize(
    "wrong",
    [
        (entry(2, "VT", DAY, SALE), entry(1, "VT", DAY, SALE)),
        (entry(1, "VT", DAY, SALE), entry(1, "VT", DAY, SALE)),
        (entry(1, "VT", DAY, SALE), entry(2, "VT", DAY - timedelta(days=1), SALE)),
        (
            entry(1, "VT", DAY, SALE),
            entry(2, "AN", DAY, (line("512", 1200), line("110", -1200))),
        ),
    ],
)
def test_entries_out_of_the_order_of_validation_are_refused(wrong: tuple[Booked, ...]) -> None:
    with pytest.raises(PaquetError, match="not in the order of validation"):
        written(wrong)
    assert written(sorted(set(wrong), key=fec.validation_order))


@pytest.mark.parametrize("account", ["606", "706", "864"])
def test_an_opening_carries_no_expense_income_or_memorandum_over(account: str) -> None:
    with pytest.raises(PaquetError, match=f"carries the account {account} over"):
        written((), (line("512", 5), line(account, -5)))


def test_an_opening_entry_of_the_journal_may_be_recorded_before_the_exercise() -> None:
    carried = entry(1, "AN", EXERCISE.first_day, (line("512", 1200), line("110", -1200)))
    early = replace(carried, recorded_on=date(2025, 12, 30))
    content = written((early, replace(entry(2, "VT", DAY, SALE), recorded_on=date(2025, 12, 29))))
    assert fec_check.check(NAME, content, EXERCISE.first_day).findings == ()


def test_an_opening_that_does_not_balance_is_refused() -> None:
    with pytest.raises(PaquetError, match="The opening does not balance"):
        written((), (line("512", 5), line("110", -4)))


def test_entries_are_read_one_at_a_time() -> None:
    """Memory does not grow with the journal: no entry is asked for before it is needed."""
    taken: list[int] = []

    def entries() -> Iterable[Booked]:
        for number in range(1, 1000):
            taken.append(number)
            yield entry(number, "VT", DAY, SALE)

    stream = fec.lines(EXERCISE, entries())
    for _ in range(5):
        next(stream)
    assert taken == [1, 2]
