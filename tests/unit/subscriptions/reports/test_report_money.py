from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.errors import PaquetError, UsageRefused
from provision.subscriptions.dunning import policy
from provision.subscriptions.reports.coordination import coordination, is_alone, verdict
from provision.subscriptions.reports.coverage import coverage, worst
from provision.subscriptions.reports.dependency import dependency, runway
from provision.subscriptions.reports.euro import received
from provision.subscriptions.reports.facts import CashAtHand, Open, Portion
from provision.subscriptions.reports.members import per_member
from provision.subscriptions.reports.months import year_until
from provision.subscriptions.reports.open_invoices import STEPS, age_of, open_by_age, reminded
from provision.subscriptions.reports.ratios import exact_shares, percent_of
from tests.unit.subscriptions.reports.report_examples import (
    MONTHS,
    UNTIL,
    cost,
    example,
    income,
    life,
)

PORTION = Portion(MONTHS[0], "association", "Les Communs", "support", "Trièves", 700)
INVOICE = Open("F-1", "person-1", UNTIL, UNTIL, 100, non_profit=False, dunning_step=0)


def test_each_euro_is_told_to_the_cent() -> None:
    facts = example()
    found = received(facts.portions, facts.paid_cents)
    assert sum(one.cents for one in found) == facts.paid_cents
    assert sum(one.basis_points or 0 for one in found) == 10_000
    assert [one.cents for one in found] == sorted((one.cents for one in found), reverse=True)


@pytest.mark.parametrize("difference", [1, -1])
def test_a_report_that_loses_or_finds_a_cent_is_refused(difference: int) -> None:
    facts = example()
    with pytest.raises(PaquetError, match="portions add up to") as refused:
        received(facts.portions, facts.paid_cents + difference)
    assert "books verify" in refused.value.hint


def test_the_portions_of_one_role_are_one_line() -> None:
    found = received((PORTION, replace(PORTION, month=MONTHS[1], cents=300)), 1000)
    assert [(one.beneficiary, one.cents, one.basis_points) for one in found] == [
        ("Les Communs", 1000, 10_000)
    ]


def test_no_share_is_told_while_somebody_gave_back_more_than_he_got() -> None:
    found = received((PORTION, replace(PORTION, role="sale", cents=-100)), 600)
    assert [(one.cents, one.basis_points) for one in found] == [(700, None), (-100, None)]
    assert received((), 0) == ()


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=12).filter(any), st.integers(1, 10**6))
def test_shares_add_up_and_are_near_the_exact_ones(parts: list[int], whole: int) -> None:
    shares = exact_shares(parts, whole)
    assert shares is not None
    assert sum(shares) == whole
    for part, share in zip(parts, shares, strict=True):
        assert abs(share - Fraction(part * whole, sum(parts))) < 1
        assert share == 0 or part > 0


@pytest.mark.parametrize("parts", [[0, 0], [5, -1], [0]])
def test_there_is_no_proportion_of_nothing(parts: list[int]) -> None:
    assert exact_shares(parts) is None


def test_one_percent_of_a_turnover() -> None:
    assert percent_of(1_234_550, 100) == 12_346
    with pytest.raises(UsageRefused, match="not a share"):
        percent_of(100, 10_001)


@pytest.mark.parametrize(
    ("cents", "said"), [(9, "below"), (10, "within"), (25, "within"), (26, "above"), (0, "below")]
)
def test_coordination_is_within_ten_and_twenty_five_percent(cents: int, said: str) -> None:
    portions = (
        replace(PORTION, role="coordination", cents=cents),
        replace(PORTION, cents=100 - cents),
        replace(PORTION, beneficiary_kind="tax", cents=20),
    )
    found = coordination(portions)
    assert (found.cents, found.of_cents, found.verdict) == (cents, 100, said)


def test_coordination_of_nothing_is_not_judged() -> None:
    assert verdict(None) == "none"
    assert coordination(()).verdict == "none"


def test_who_works_alone_coordinates_with_nobody() -> None:
    together = life(1, UNTIL)
    alone = replace(together, supporter=together.seller)
    assert is_alone((alone,), (PORTION,))
    assert not is_alone((alone, together), (PORTION,))
    assert not is_alone((alone,), (replace(PORTION, role="coordination"),))
    assert not is_alone((), ())


def test_a_place_of_2500_a_month_is_carried_when_2500_recur() -> None:
    costs = [cost(month, cents) for month in MONTHS for cents in (170_000, 80_000)]
    incomes = [income(month, 250_000) for month in MONTHS[:-1]] + [income(UNTIL, 200_000)]
    found = coverage(incomes, costs, MONTHS)
    assert [month.ratio for month in found] == [1] * 11 + [Fraction(4, 5)]
    hardest = worst(found)
    assert hardest is not None
    assert hardest.month == MONTHS[-1]


def test_a_year_paid_at_once_is_spread_to_the_cent() -> None:
    incomes = (income(date(2026, 1, 31), 10_000, months=12),)
    found = coverage(incomes, [cost(month, 1) for month in MONTHS], MONTHS)
    paid = [month.paid for month in found]
    assert paid[:2] == [0, 0]
    assert set(paid[2:]) <= {833, 834}
    months = year_until(date(2026, 12, 31))
    assert sum(month.paid for month in coverage(incomes, (), months)) == 10_000


def test_what_does_not_recur_or_only_changes_hands_carries_nothing() -> None:
    incomes = (
        income(MONTHS[0], 100, recurring=False),
        income(MONTHS[0], 100, between=True),
    )
    costs = (
        cost(MONTHS[0], 100),
        cost(MONTHS[0], 100, incompressible=False),
        cost(MONTHS[0], 100, between=True),
    )
    first = coverage(incomes, costs, MONTHS)[0]
    assert (first.paid, first.cost) == (0, 100)
    assert first.ratio == 0


def test_months_without_cost_are_not_judged() -> None:
    assert worst(coverage((income(UNTIL, 100),), (), MONTHS)) is None


@pytest.mark.parametrize("months", [0, -1, 121])
def test_an_income_for_no_time_is_refused(months: int) -> None:
    with pytest.raises(PaquetError, match=f"for {months} months"):
        coverage((income(UNTIL, 100, months=months),), (), MONTHS)


def test_dependency_on_grants_and_how_long_the_cash_lasts() -> None:
    incomes = (
        income(UNTIL, 60_000),
        income(UNTIL, 40_000, kind="grant", recurring=False),
        income(UNTIL, 99_999, between=True),
        income(date(2020, 1, 1), 99_999),
    )
    cash = (
        CashAtHand("A", 7_000, date(2026, 1, 1)),
        CashAtHand("A", 20_000, UNTIL),
        CashAtHand("B", 5_000, UNTIL),
    )
    found = dependency(incomes, (cost(UNTIL, 112_000),), cash, MONTHS)
    assert found.subsidy_ratio == Fraction(2, 5)
    assert (found.cash, found.cost) == (25_000, 112_000)
    assert found.runway == 25  # 1 000 a month are lost
    assert found.runway_without_grants == 5  # 4 333 a month


def test_the_latest_cash_counts_in_any_order() -> None:
    cash = (CashAtHand("A", 20_000, UNTIL), CashAtHand("A", 7_000, date(2026, 1, 1)))
    assert dependency((), (), cash, MONTHS).cash == 20_000


def test_who_loses_nothing_has_no_runway_and_who_owes_has_none_left() -> None:
    assert runway(100, 0, 12) is None
    assert runway(100, -5, 12) is None
    assert runway(-100, 12, 12) == 0


@pytest.mark.parametrize(
    ("days", "age"),
    [
        (-1, "not_due"),
        (0, "0-30"),
        (30, "0-30"),
        (31, "31-60"),
        (60, "31-60"),
        (61, "61-90"),
        (90, "61-90"),
        (91, "over_90"),
        (4000, "over_90"),
    ],
)
def test_an_invoice_ages_from_the_day_it_is_due(days: int, age: str) -> None:
    assert age_of(days) == age
    late = replace(INVOICE, due=UNTIL - timedelta(days))
    assert [one.invoices for one in open_by_age((late,), UNTIL) if one.age == age] == [1]


def test_a_non_profit_in_trouble_is_not_a_fraud() -> None:
    found = open_by_age(
        (
            INVOICE,
            replace(INVOICE, non_profit=True, cents_open=200),
            replace(INVOICE, non_profit=True, fraud=True, cents_open=300),
        ),
        UNTIL,
    )
    assert [(one.ordinary, one.non_profit, one.fraud) for one in found if one.invoices] == [
        (100, 200, 300)
    ]
    assert len(found) == 5


def test_steps_of_reminders_are_named_as_they_are_taken() -> None:
    assert ("none", *policy.STEPS) == STEPS


def test_what_is_open_is_counted_by_its_last_reminder() -> None:
    formal = replace(INVOICE, dunning_step=3, cents_open=50)
    found = reminded((INVOICE, formal, formal))
    assert [(one.step, one.open_cents, one.invoices) for one in found if one.invoices] == [
        ("none", 100, 1),
        ("formal", 100, 2),
    ]
    assert len(found) == 6


def test_fifteen_members_cannot_all_be_full_time() -> None:
    found = per_member(1_500_000, 15, 320_000)
    assert (found.cents, found.full_time_wages, found.all_full_time) == (100_000, 4, False)
    assert per_member(1_280_000, 4, 320_000).all_full_time
    for wrong in ((1, 0, 1), (1, 1, 0), (-1, 1, 1)):
        with pytest.raises(UsageRefused):
            per_member(*wrong)
