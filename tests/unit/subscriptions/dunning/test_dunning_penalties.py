from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.errors import PaquetError
from provision.subscriptions.dunning import penalties


def test_a_year_of_one_rate_is_three_times_that_rate() -> None:
    # 1,000.00 at 3 x 3.71 % for 181 days of 2025: 100000 x 0.1113 x 181 / 365 = 5519.26 cents
    owed = penalties.interest(100_000, date(2024, 12, 31), date(2025, 6, 30))
    assert owed == 5519


def test_each_day_has_the_rate_of_its_half_year() -> None:
    # 30 June at 3 x 3.71 %, 1 July at 3 x 2.76 %: (11.13 + 8.28) % of 36500.00 / 365
    owed = penalties.interest(3_650_000, date(2025, 6, 29), date(2025, 7, 1))
    assert owed == 1113 + 828


def test_nothing_is_owed_on_the_due_date() -> None:
    assert penalties.interest(100_000, date(2025, 3, 1), date(2025, 3, 1)) == 0
    assert penalties.interest(100_000, date(2025, 3, 2), date(2025, 3, 1)) == 0


@pytest.mark.parametrize(
    ("due", "paid"),
    [(date(2026, 6, 1), date(2026, 7, 1)), (date(2024, 6, 29), date(2024, 8, 1))],
)
def test_a_day_whose_rate_is_not_known_has_no_figure(due: date, paid: date) -> None:
    with pytest.raises(PaquetError, match="The legal rate is known from 2024-07-01 to 2026-06-30"):
        penalties.interest(100_000, due, paid)


def test_the_first_and_the_last_known_day_have_a_figure() -> None:
    assert penalties.interest(100_000, date(2024, 6, 30), date(2024, 7, 1)) == 40
    assert penalties.interest(100_000, date(2026, 6, 29), date(2026, 6, 30)) == 22


@given(
    units=st.integers(1, 10**9),
    start=st.integers(0, 300),
    first=st.integers(1, 200),
    second=st.integers(1, 200),
)
def test_time_in_two_pieces_costs_the_same_but_for_rounding(
    units: int, start: int, first: int, second: int
) -> None:
    due = date(2024, 7, 1) + timedelta(days=start)
    middle = due + timedelta(days=first)
    end = middle + timedelta(days=second)
    whole = penalties.interest(units, due, end)
    parts = penalties.interest(units, due, middle) + penalties.interest(units, middle, end)
    assert abs(whole - parts) <= 1
