from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from provision.errors import PaquetError, UsageRefused
from provision.subscriptions.reports.facts import Given, Pledge, Reciprocity, ReportParty
from provision.subscriptions.reports.hours import time_given, value
from provision.subscriptions.reports.promises import pledged, reciprocity
from provision.subscriptions.reports.thresholds import known, level_of, on, parse, watch
from tests.unit.subscriptions.reports.report_examples import ASSOCIATION, MONTHS, UNTIL, income

HOUR = 3600
TABLE = """
[[threshold]]
rule = "franchise"
from = 2026-01-01
euros = 1_000
source = "a text"
"""
CONTRACT = Reciprocity("A", "B", 100, 100_000, 1_000, 1_000, "2026")
CLUB = ReportParty(ASSOCIATION, "association")


def test_time_is_counted_by_organisation_and_person() -> None:
    gifts = (
        Given(UNTIL, "person-1", "A", 7 * HOUR, commons=False),
        Given(UNTIL, "person-1", "A", 3 * HOUR, commons=True),
        Given(UNTIL, "person-2", "B", 100 * HOUR, commons=False),
        Given(date(2020, 1, 1), "person-3", "A", 99 * HOUR, commons=True),
    )
    first, second = time_given(gifts, MONTHS)
    assert (first.organisation, first.persons, first.seconds) == ("B", 1, 100 * HOUR)
    assert (second.persons, second.seconds, second.commons_share) == (1, 10 * HOUR, Fraction(3, 10))
    assert (first.past_the_mark, second.past_the_mark) == (False, True)


def test_a_second_below_thirty_percent_is_not_past_the_mark() -> None:
    gifts = (
        Given(UNTIL, "person-1", "A", 7 * HOUR + 1, commons=False),
        Given(UNTIL, "person-1", "A", 3 * HOUR, commons=True),
    )
    assert not time_given(gifts, MONTHS)[0].past_the_mark


def test_time_is_valued_apart_with_its_day_and_rate() -> None:
    found = value(5 * HOUR // 2, 3000, UNTIL)
    assert (found.cents, found.on, found.hourly_cents) == (7500, UNTIL, 3000)
    assert value(1, 3000, UNTIL).cents == 1
    assert value(HOUR, 4500, UNTIL).cents == 4500


@pytest.mark.parametrize("rate", [2999, 4501, 0, -1])
def test_time_is_not_valued_outside_30_to_45_an_hour(rate: int) -> None:
    with pytest.raises(UsageRefused, match="outside"):
        value(HOUR, rate, UNTIL)


@pytest.mark.parametrize(
    ("given", "still_open", "kept"),
    [(0, 1000, False), (999, 1, False), (1000, 0, True), (1500, 0, True)],
)
def test_reciprocity_is_kept_or_not(given: int, still_open: int, *, kept: bool) -> None:
    (found,) = reciprocity((replace(CONTRACT, given_cents=given),))
    assert (found.open_cents, found.kept) == (still_open, kept)


def test_pledges_are_compared_with_what_came() -> None:
    large, small = pledged((Pledge("small", 100, 150), Pledge("large", 1000, 250)))
    assert (large.pledge.source, large.missing_cents, large.share) == ("large", 750, Fraction(1, 4))
    assert (small.missing_cents, small.share) == (0, Fraction(3, 2))
    assert pledged((Pledge("nothing", 0, 0),))[0].share is None


@pytest.mark.parametrize(
    ("year", "euros"),
    [
        (2002, 60_000),
        (2016, 61_145),
        (2017, 61_634),
        (2018, 62_250),
        (2019, 63_059),
        (2020, 72_000),
        (2021, 72_432),
        (2022, 73_518),
        (2023, 76_679),
        (2024, 78_596),
        (2025, 80_011),
        (2026, 81_051),
    ],
)
def test_the_threshold_of_an_association_is_that_of_its_year(year: int, euros: int) -> None:
    for day in (date(year, 1, 1), date(year, 12, 31)):
        found = on("franchise", day, known())
        assert found is not None
        assert found.euros == euros
        assert found.unverified == (year == 2026)


@pytest.mark.parametrize("year", [2000, 2003, 2015])
def test_years_that_no_source_tells_are_not_guessed(year: int) -> None:
    assert on("franchise", date(year, 6, 1), known()) is None


def test_small_sellers_have_two_limits_for_services_and_for_goods() -> None:
    day, rows = date(2026, 6, 1), known()
    found = (
        on("services_previous", day, rows),
        on("services_current", day, rows),
        on("goods_previous", day, rows),
        on("goods_current", day, rows),
    )
    assert [one and one.euros for one in found] == [37_500, 41_250, 85_000, 93_500]


def test_every_threshold_names_its_source() -> None:
    assert all(row.source for row in known())


@pytest.mark.parametrize(
    ("cents", "level"),
    [
        (79_999, "below"),
        (80_000, "near"),
        (99_999, "near"),
        (100_000, "reached"),
        (150_000, "reached"),
    ],
)
def test_the_alarm_rings_at_80_and_at_100_percent(cents: int, level: str) -> None:
    (found,) = watch(
        (CLUB,), (income(UNTIL, cents, organisation=ASSOCIATION),), UNTIL, parse(TABLE)
    )
    assert (found.level, found.received, found.limit) == (level, cents, 100_000)
    assert level_of(Fraction(cents, 100_000)) == level


def test_only_sales_of_the_calendar_year_count_those_from_inside_too() -> None:
    theirs = {"organisation": ASSOCIATION}
    incomes = (
        income(date(2026, 1, 1), 1, **theirs),
        income(date(2026, 2, 1), 20, between=True, **theirs),
        income(date(2025, 12, 31), 300, **theirs),
        income(date(2026, 12, 1), 300, **theirs),
        income(date(2026, 3, 1), 4000, kind="dues", **theirs),
        income(date(2026, 3, 1), 4000, kind="gift", **theirs),
        income(date(2026, 3, 1), 4000, kind="grant", **theirs),
        income(date(2026, 3, 1), 50_000),
    )
    assert watch((CLUB,), incomes, UNTIL, parse(TABLE))[0].received == 21


def test_a_business_is_measured_on_this_year_and_on_the_one_before() -> None:
    incomes = (income(date(2026, 2, 1), 200), income(date(2025, 2, 1), 30))
    business = ReportParty(incomes[0].organisation, "business")
    found = watch((business,), incomes, UNTIL, known())
    assert [(one.rule, one.year, one.received) for one in found] == [
        ("services_current", 2026, 200),
        ("services_previous", 2025, 30),
    ]
    assert not any(one.taxable for one in found)


@pytest.mark.parametrize(
    ("rescrit", "taxable"), [(None, True), (date(2026, 11, 1), True), (UNTIL, False)]
)
def test_an_association_counts_as_taxable_until_a_rescrit_is_recorded(
    rescrit: date | None, *, taxable: bool
) -> None:
    (found,) = watch((replace(CLUB, rescrit_on=rescrit),), (), UNTIL, parse(TABLE))
    assert found.taxable == taxable


def test_a_year_without_its_own_amount_says_so() -> None:
    (found,) = watch((CLUB,), (), date(2027, 3, 1), parse(TABLE))
    assert (found.limit, found.of_another_year) == (100_000, True)
    (unknown,) = watch((CLUB,), (), date(2025, 3, 1), parse(TABLE))
    assert (unknown.limit, unknown.level, unknown.of_another_year) == (None, "unknown", False)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[", "not TOML"),
        ("", "threshold"),
        (TABLE.replace("franchise", "other"), "rule"),
        (TABLE.replace("1_000", "0"), "euros"),
        (TABLE.replace("1_000", "1000.5"), "euros"),
        (TABLE.replace('"a text"', '""'), "source"),
        (TABLE.replace("2026-01-01", '"2026"'), "from"),
        (TABLE + "more = 1", "more"),
        (TABLE + TABLE, "twice"),
    ],
)
def test_a_wrong_table_is_refused_with_its_place(text: str, why: str) -> None:
    with pytest.raises(PaquetError, match=why):
        parse(text)
