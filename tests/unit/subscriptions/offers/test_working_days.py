from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.subscriptions.offers.terms import holidays, next_working_day


def test_2026_has_its_eleven_holidays() -> None:
    assert sorted(holidays(2026)) == [
        date(2026, 1, 1),
        date(2026, 4, 6),
        date(2026, 5, 1),
        date(2026, 5, 8),
        date(2026, 5, 14),
        date(2026, 5, 25),
        date(2026, 7, 14),
        date(2026, 8, 15),
        date(2026, 11, 1),
        date(2026, 11, 11),
        date(2026, 12, 25),
    ]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 3, 10), date(2026, 3, 10)),
        (date(2026, 3, 14), date(2026, 3, 16)),
        (date(2026, 4, 4), date(2026, 4, 7)),
        (date(2026, 12, 25), date(2026, 12, 28)),
        (date(2027, 1, 1), date(2027, 1, 4)),
    ],
)
def test_a_delay_ends_on_a_working_day(day: date, expected: date) -> None:
    assert next_working_day(day) == expected


@given(day=st.dates(date(2000, 1, 1), date(2098, 12, 31)))
def test_a_delay_is_never_longer_by_more_than_four_days(day: date) -> None:
    assert 0 <= (next_working_day(day) - day).days <= 4
