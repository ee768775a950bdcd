from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.errors import PaquetError
from provision.formats.sepa.target_days import first_open_day, is_target_day, next_collection_day

DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2099, 6, 30))

# The closing days that the ECB announced for TARGET.
CLOSED = [
    "2026-01-01", "2026-04-03", "2026-04-06", "2026-05-01", "2026-12-25",
    "2027-01-01", "2027-03-26", "2027-03-29",
    "2024-03-29", "2024-04-01", "2024-05-01", "2024-12-25", "2024-12-26",
]  # fmt: skip


@pytest.mark.parametrize("day", CLOSED)
def test_banks_do_not_settle_on_closing_days_of_target(day: str) -> None:
    assert dt.date.fromisoformat(day).weekday() < 5
    assert not is_target_day(dt.date.fromisoformat(day))


@pytest.mark.parametrize(
    "day", ["2026-07-14", "2026-11-11", "2026-05-14", "2026-12-24", "2026-12-31"]
)
def test_banks_settle_on_holidays_that_only_france_has(day: str) -> None:
    assert is_target_day(dt.date.fromisoformat(day))


def test_a_year_has_the_open_days_that_its_weekdays_leave() -> None:
    year = [dt.date(2026, 1, 1) + dt.timedelta(days=n) for n in range(365)]
    # 261 weekdays less 1 January, Good Friday, Easter Monday, 1 May and 25 December.
    assert sum(map(is_target_day, year)) == 256


@pytest.mark.parametrize(
    ("day", "lead", "due"),
    [
        ("2026-12-01", 1, "2026-12-02"),
        ("2026-12-04", 1, "2026-12-07"),  # Friday
        ("2026-12-05", 1, "2026-12-08"),  # Saturday: taken on Monday
        ("2026-12-24", 1, "2026-12-28"),
        ("2027-03-25", 1, "2027-03-30"),  # over Easter
        ("2026-12-01", 5, "2026-12-08"),
    ],
)
def test_the_bank_has_its_open_days_before_it_collects(day: str, lead: int, due: str) -> None:
    assert next_collection_day(dt.date.fromisoformat(day), lead).isoformat() == due


@given(DAYS, st.integers(1, 20))
def test_a_collection_day_is_open_and_later(day: dt.date, lead: int) -> None:
    due = next_collection_day(day, lead)
    assert is_target_day(due)
    between = [day + dt.timedelta(days=n) for n in range(1, (due - day).days + 1)]
    assert sum(map(is_target_day, between)) == lead + (not is_target_day(day))
    assert next_collection_day(first_open_day(day), lead) == due


@pytest.mark.parametrize("year", [1, 1900, 2100, 9999])
def test_a_day_of_another_century_is_refused(year: int) -> None:
    with pytest.raises(PaquetError, match="cannot be a day of payments"):
        next_collection_day(dt.date(year, 1, 4))


@pytest.mark.parametrize("lead", [-1, 0, 61, 10**9])
def test_a_lead_that_no_bank_has_is_refused(lead: int) -> None:
    with pytest.raises(PaquetError, match="is not from 1 to 60"):
        next_collection_day(dt.date(2026, 12, 1), lead)
