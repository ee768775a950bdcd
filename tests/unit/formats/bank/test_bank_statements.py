from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.formats.bank import reading
from provision.formats.bank.fields import cents, text
from provision.formats.bank.statements import (
    Movement,
    Statement,
    StatementRefused,
    follows,
    repeats,
    rest,
    sealed,
)
from tests.unit.formats.bank.bank_examples import ACCOUNT, CAMT_2, changed, every_sample, read_one

if TYPE_CHECKING:
    from tests.unit.formats.bank.bank_examples import Sample

DAY = date(2026, 1, 8)


def statement(*units: int, opening: int = 0) -> Statement:
    """Return a sealed statement of movements that differ in nothing but their amount."""
    return sealed(
        Statement(
            account=ACCOUNT,
            number="1",
            opened_on=DAY,
            closed_on=DAY,
            opening=opening,
            closing=opening + sum(units),
            movements=tuple(Movement(booked_on=DAY, units=one, text="VIR") for one in units),
        ),
        "digest",
    )


@given(st.lists(st.integers(-(10**14), 10**14), max_size=20), st.integers(-(10**14), 10**14))
def test_opening_and_movements_make_the_closing(units: list[int], opening: int) -> None:
    good = statement(*units, opening=opening)
    assert good.closing - good.opening == sum(one.units for one in good.movements)
    with pytest.raises(StatementRefused, match=r"the difference is €0\.01"):
        sealed(replace(good, closing=good.closing + 1), "digest")


@given(st.lists(st.integers(-3, 3), max_size=20))
def test_every_movement_has_its_own_key_and_place(units: list[int]) -> None:
    found = statement(*units).movements
    assert len({one.key for one in found}) == len(units)
    assert [one.position for one in found] == list(range(1, len(units) + 1))


@every_sample
def test_the_same_statement_in_another_file_has_the_same_keys(sample: Sample) -> None:
    again = f"{sample.text} \n" if "</" not in sample.text else f"{sample.text}\n"
    first, second = read_one(sample.text, sample.mapping), read_one(again, sample.mapping)
    assert first.movements == second.movements
    assert first.digest == hashlib.sha256(sample.content).hexdigest() != second.digest
    assert repeats(second, set(), {one.key for one in first.movements})


def test_a_key_depends_on_the_account_the_day_the_amount_and_the_text() -> None:
    (plain,) = statement(5).movements
    for other in (
        {"units": 6},
        {"text": "X"},
        {"booked_on": DAY + timedelta(1)},
        {"reference": "R"},
    ):
        moved = replace(plain, **other)
        base = statement(moved.units)
        assert sealed(replace(base, movements=(moved,)), "").movements[0].key != plain.key
    assert sealed(replace(statement(5), account="DE"), "").movements[0].key != plain.key


def test_a_statement_is_recognised_by_its_file_and_by_its_movements() -> None:
    known = statement(5, 7)
    keys = {one.key for one in known.movements}
    assert repeats(known, {"digest"}, set())
    assert repeats(replace(known, digest="other"), {"digest"}, keys)
    assert not repeats(replace(known, digest="other"), {"digest"}, set())
    assert not repeats(replace(statement(), digest="other"), {"digest"}, keys)


def test_of_an_overlap_only_what_is_new_is_left() -> None:
    before = statement(5, 7)
    keys = {one.key for one in before.movements}
    whole = statement(7, 9, opening=5)
    assert not repeats(whole, set(), keys)
    fresh, known = rest(before, whole, keys)
    assert [one.units for one in known] == [7]
    assert [one.units for one in fresh.movements] == [9]
    assert (fresh.opening, fresh.closing) == (12, 21)
    follows(before, fresh)
    assert rest(None, whole, set()) == (whole, ())


def test_equal_movements_of_a_day_are_not_taken_for_one_another() -> None:
    """Two of 7 on one day, of which the first file has one and the second the other."""
    before = statement(5, 7)
    other = statement(7, 9, opening=12)
    fresh, _known = rest(before, other, {one.key for one in before.movements})
    with pytest.raises(StatementRefused, match="the one before it closed"):
        follows(before, fresh)


def test_a_statement_opens_where_the_one_before_it_closed() -> None:
    before = statement(500)
    follows(None, before)
    follows(before, statement(7, opening=500))
    with pytest.raises(StatementRefused, match=r"with €4\.99.*closed on 2026-01-08 with €5\.00"):
        follows(before, statement(7, opening=499))
    with pytest.raises(StatementRefused, match="not of FR76"):
        follows(before, replace(statement(7, opening=500), account="DE"))
    with pytest.raises(StatementRefused, match="the one before it closed"):
        follows(before, replace(statement(opening=500), closed_on=DAY - timedelta(1)))


def test_two_statements_in_one_file_are_both_checked() -> None:
    start, end = CAMT_2.index("<Stmt>"), CAMT_2.index("</Stmt>") + len("</Stmt>")
    second = changed(CAMT_2[start:end], "1000.00", "1034.10")
    text = (
        CAMT_2[:end]
        + changed(
            second,
            ">1034.10</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-01-31",
            ">1068.20</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-01-31",
        )
        + CAMT_2[end:]
    )
    first, last = reading.read(text.encode(), "two.xml")
    follows(first, last)
    with pytest.raises(StatementRefused, match=r"“two.xml”: The statement 7 of FR76.* does not"):
        reading.read(text.replace("1068.20", "1068.21").encode(), "two.xml")


@pytest.mark.parametrize(
    "written", ["", " ", "-", ".", "1.2.3", "1 2", "1_0", "0x1", "NaN", "1,5", "²"]
)
def test_what_is_not_an_amount_is_refused(written: str) -> None:
    with pytest.raises(StatementRefused, match="is not an amount"):
        cents(written, "amount")


@given(st.integers(-(10**13), 10**13))
def test_an_amount_comes_back_as_it_was_written(units: int) -> None:
    whole, rest = divmod(abs(units), 100)
    written = f"{'-' if units < 0 else ''}{whole}.{rest:02d}"
    assert cents(written, "amount") == units
    assert cents(written.replace(".", ","), "amount", marks=".,") == units


def test_text_of_a_bank_is_one_readable_line() -> None:
    assert text("a\nb\u202e c", None, "e\u0301\x1b[31m") == "a b c é [31m"
    assert len(text("x" * 10_000)) == 2000
