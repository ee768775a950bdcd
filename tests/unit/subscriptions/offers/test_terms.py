from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.money import half_up
from provision.subscriptions.offers.terms import MONTHLY, YEARLY, Term, prorated, term_of

DAYS = st.dates(date(2000, 1, 1), date(2098, 12, 31))
PERIODS = st.sampled_from([MONTHLY, YEARLY])


def chain(anchor: date, period: str, count: int) -> list[date]:
    """The first days of `count` terms that follow each other."""
    found = [anchor]
    while len(found) < count:
        found.append(term_of(anchor, period, found[-1]).until)
    return found


def test_the_31st_of_january_gives_the_28th_of_february_and_the_31st_of_march() -> None:
    assert chain(date(2026, 1, 31), MONTHLY, 5) == [
        date(2026, 1, 31),
        date(2026, 2, 28),
        date(2026, 3, 31),
        date(2026, 4, 30),
        date(2026, 5, 31),
    ]


def test_the_29th_of_february_comes_back_every_leap_year() -> None:
    assert chain(date(2024, 2, 29), YEARLY, 6) == [
        date(2024, 2, 29),
        date(2025, 2, 28),
        date(2026, 2, 28),
        date(2027, 2, 28),
        date(2028, 2, 29),
        date(2029, 2, 28),
    ]


@given(anchor=DAYS, period=PERIODS, after=st.integers(0, 3000))
def test_every_day_lies_in_one_term_and_all_its_days_in_the_same(
    anchor: date, period: str, after: int
) -> None:
    day = anchor + timedelta(days=after)
    term = term_of(anchor, period, day)
    assert term.starts <= day < term.until
    assert term_of(anchor, period, term.starts) == term
    assert term_of(anchor, period, term.until - timedelta(days=1)) == term
    assert term_of(anchor, period, term.until).starts == term.until


@given(anchor=DAYS, count=st.integers(2, 40))
def test_terms_never_drift_from_the_day_of_their_anchor(anchor: date, count: int) -> None:
    for day in chain(anchor, MONTHLY, count):
        last_of_month = (day + timedelta(days=1)).day == 1
        assert day.day == anchor.day or (day.day < anchor.day and last_of_month)


@given(
    units=st.integers(-(10**14), 10**14),
    anchor=DAYS,
    period=PERIODS,
    cuts=st.lists(st.integers(0, 366), max_size=8),
)
def test_parts_add_up_to_the_term_however_it_is_cut(
    units: int, anchor: date, period: str, cuts: list[int]
) -> None:
    term = term_of(anchor, period, anchor)
    inside = {term.starts + timedelta(days=min(cut, term.days)) for cut in cuts}
    bounds = sorted(inside | {term.starts, term.until})
    parts = [prorated(units, term, Term(*bound)) for bound in pairwise(bounds)]
    assert sum(parts) == units
    assert all(part * units >= 0 for part in parts)


@given(units=st.integers(0, 10**9), anchor=DAYS, days=st.integers(0, 31))
def test_a_part_is_within_a_cent_of_its_exact_value(units: int, anchor: date, days: int) -> None:
    term = term_of(anchor, MONTHLY, anchor)
    part = Term(term.starts, term.starts + timedelta(days=min(days, term.days)))
    assert abs(prorated(units, term, part) * term.days - units * part.days) * 2 <= term.days


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [
        (1, 2, 1),
        (-1, 2, -1),
        (1, 3, 0),
        (2, 3, 1),
        (-2, 3, -1),
        (0, 7, 0),
        (5, 10, 1),
        (-5, 10, -1),
    ],
)
def test_half_a_cent_goes_away_from_zero(numerator: int, denominator: int, expected: int) -> None:
    assert half_up(numerator, denominator) == expected
