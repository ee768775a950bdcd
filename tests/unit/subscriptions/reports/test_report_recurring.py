from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.errors import PaquetError
from provision.subscriptions.reports.churn import churn
from provision.subscriptions.reports.cohorts import cohorts
from provision.subscriptions.reports.months import shift
from provision.subscriptions.reports.recurring import KINDS, movements, recurring_ratio, served
from provision.subscriptions.reports.territories import Stays, sales, stays
from provision.subscriptions.reports.tiers import tiers
from tests.unit.subscriptions.reports.report_examples import (
    BUSINESS,
    MONTHS,
    UNTIL,
    example,
    income,
    life,
    rate,
)

if TYPE_CHECKING:
    from provision.subscriptions.reports.facts import Life, Rate

SPRING = (date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1))
days = st.dates(date(2025, 1, 1), date(2026, 12, 31))


@st.composite
def histories(draw: st.DrawFn) -> tuple[tuple[Life, ...], tuple[Rate, ...]]:
    lives, rates = [], []
    for number in range(draw(st.integers(0, 8))):
        first = draw(days)
        length = draw(st.none() | st.integers(0, 400))
        last = None if length is None else first + timedelta(length)
        who = f"person-{draw(st.integers(0, 4))}"
        lives.append(life(number, first, last, subscriber_reference=who))
        for later in [*draw(st.lists(st.integers(0, 500), max_size=3)), 0]:
            cents, months = draw(st.integers(0, 99_999)), draw(st.sampled_from([1, 12]))
            rates.append(rate(number, first + timedelta(later), cents, months))
    return tuple(lives), tuple(rates)


@given(histories())
def test_every_month_opens_where_the_last_one_closed_and_adds_up_to_the_cent(
    history: tuple[tuple[Life, ...], tuple[Rate, ...]],
) -> None:
    found = movements(*history, MONTHS)
    for month in found:
        assert month.opening + sum(getattr(month, kind) for kind in KINDS) == month.closing
        assert month.opened + month.joined + month.returned - month.left == month.closed
        assert month.contraction <= 0
        assert month.churned <= 0
        assert min(month.new, month.reactivated, month.expansion) >= 0
    for month, following in pairwise(found):
        assert (month.closing, month.closed) == (following.opening, following.opened)


@given(histories())
def test_the_revenue_of_a_month_is_what_a_slow_reader_counts(
    history: tuple[tuple[Life, ...], tuple[Rate, ...]],
) -> None:
    """Day by day and price by price, without any of the shortcuts."""
    lives, rates = history
    for month in movements(lives, rates, MONTHS):
        day = shift(month.month, 1) - timedelta(1)
        there = [one for one in lives if one.first_day <= day <= (one.last_day or date.max)]
        exact = Fraction(0)
        for one in there:
            known = [found for found in rates if found.subscription == one.subscription]
            started = [found for found in known if found.from_day <= day]
            latest = max(found.from_day for found in started)
            (*_, price) = [found for found in started if found.from_day == latest]
            exact += Fraction(price.cents, price.months)
        assert month.closing == math.floor(exact + Fraction(1, 2))
        assert month.closed == len({one.subscriber_reference for one in there})


@given(histories())
def test_nobody_is_new_twice(history: tuple[tuple[Life, ...], tuple[Rate, ...]]) -> None:
    persons = {one.subscriber_reference for one in history[0]}
    assert sum(month.joined for month in movements(*history, MONTHS)) <= len(persons)


def test_a_yearly_price_counts_for_a_twelfth_and_twelve_of_them_for_the_year() -> None:
    lives = tuple(life(number, date(2026, 3, 2)) for number in range(12))
    rates = tuple(rate(number, date(2026, 3, 2), 11_000, 12) for number in range(12))
    assert movements(lives, rates, SPRING)[0].closing == 11_000
    assert movements(lives[:1], rates, SPRING)[0].closing == 917


def test_each_movement_has_its_name() -> None:
    lives = (
        life(1, date(2026, 3, 10)),
        life(2, date(2025, 1, 1), date(2026, 4, 29)),
        life(3, date(2025, 1, 1), date(2025, 6, 30), subscriber_reference="person-back"),
        life(4, date(2026, 5, 5), subscriber_reference="person-back"),
        life(5, date(2025, 1, 1)),
        life(6, date(2025, 1, 1)),
    )
    rates = (
        *(rate(number, one.first_day, 1000) for number, one in enumerate(lives, start=1)),
        rate(5, date(2026, 4, 15), 1500),
        rate(6, date(2026, 4, 15), 400),
    )
    march, april, may = movements(lives, rates, SPRING)
    assert (march.opening, march.new, march.closing) == (3000, 1000, 4000)
    assert (april.expansion, april.contraction, april.churned) == (500, -600, -1000)
    assert (may.reactivated, may.new, may.returned, may.closing) == (1000, 0, 1, 3900)


def test_two_subscriptions_of_one_subscriber_are_one_subscriber_who_pays_more() -> None:
    lives = (
        life(1, date(2025, 1, 1), subscriber_reference="person-a"),
        life(2, date(2026, 4, 1), subscriber_reference="person-a"),
    )
    rates = (rate(1, date(2025, 1, 1), 600), rate(2, date(2026, 4, 1), 1000))
    april = movements(lives, rates, SPRING)[1]
    assert (april.new, april.expansion, april.closed) == (0, 1000, 1)


def test_the_last_day_is_still_served() -> None:
    lives = (life(1, date(2026, 1, 1), date(2026, 3, 31)),)
    march, april, _ = movements(lives, (rate(1, date(2026, 1, 1), 600),), SPRING)
    assert (march.closing, march.left) == (600, 0)
    assert (april.closing, april.left) == (0, 1)


def test_who_comes_and_goes_inside_a_month_is_not_seen() -> None:
    lives = (life(1, date(2026, 4, 2), date(2026, 4, 20)),)
    april = movements(lives, (rate(1, date(2026, 4, 2), 600),), SPRING)[1]
    assert (april.joined, april.left, april.closing) == (0, 0, 0)


def test_a_free_subscription_is_a_subscriber_who_may_pay_later() -> None:
    rates = (rate(1, date(2026, 3, 1), 0), rate(1, date(2026, 4, 1), 500))
    march, april, _ = movements((life(1, date(2026, 3, 1)),), rates, SPRING)
    assert (march.joined, march.new) == (1, 0)
    assert (april.new, april.expansion) == (0, 500)


@pytest.mark.parametrize(
    ("rates", "why"),
    [
        ((), "subscription 1 has no price"),
        ((rate(1, date(2026, 3, 2), 600),), "subscription 1 has no price"),
        ((rate(1, date(2026, 3, 1), 600, 7),), "for 7 months"),
        ((rate(1, date(2026, 3, 1), 600, 0),), "for 0 months"),
    ],
)
def test_a_subscription_without_a_sound_price_is_refused(rates: tuple[Rate, ...], why: str) -> None:
    with pytest.raises(PaquetError, match=why):
        movements((life(1, date(2026, 3, 1)),), rates, SPRING)


def test_churn_is_measured_on_those_who_were_there() -> None:
    lives = tuple(life(number, date(2025, 1, 1)) for number in range(3))
    lives += (life(3, date(2025, 1, 1), date(2026, 4, 29)), life(4, date(2026, 4, 2)))
    rates = tuple(rate(number, date(2025, 1, 1), 1000) for number in range(5))
    rates += (rate(0, date(2026, 4, 1), 800), rate(1, date(2026, 4, 1), 2500))
    april = churn(movements(lives, rates, SPRING))[1]
    assert april.subscribers == Fraction(1, 4)
    assert april.revenue == Fraction(1200, 4000)
    assert april.net_revenue == Fraction(-300, 4000)


def test_churn_of_nobody_is_not_known() -> None:
    assert churn(movements((), (), SPRING))[0].subscribers is None


def test_a_cohort_shrinks_and_takes_back_who_returns() -> None:
    lives = (
        life(1, date(2026, 3, 1)),
        life(2, date(2026, 3, 9), date(2026, 4, 10), subscriber_reference="person-back"),
        life(3, date(2026, 5, 2), subscriber_reference="person-back"),
        life(4, date(2026, 5, 31)),
    )
    march, may = cohorts(lives, SPRING)
    assert (march.month, march.size, march.there) == (SPRING[0], 2, (2, 1, 2))
    assert (may.month, may.size, may.there) == (SPRING[2], 1, (1,))


def test_a_cohort_still_counts_who_is_served_for_the_last_time() -> None:
    lives = (life(1, date(2026, 3, 1), date(2026, 4, 30)),)
    assert cohorts(lives, SPRING)[0].there == (1, 1, 0)


def test_who_began_before_the_window_belongs_to_no_cohort_of_it() -> None:
    lives = (
        life(1, date(2026, 1, 1), date(2026, 1, 31), subscriber_reference="person-old"),
        life(2, date(2026, 4, 1), subscriber_reference="person-old"),
    )
    assert cohorts(lives, SPRING) == ()


def test_recurring_income_is_compared_with_all_that_came_from_outside() -> None:
    incomes = (
        income(SPRING[0], 3000),
        income(SPRING[1], 1000, kind="grant", recurring=False),
        income(SPRING[1], 9000, between=True),
        income(date(2020, 1, 1), 9000),
    )
    assert recurring_ratio(incomes, SPRING) == Fraction(3, 4)
    assert recurring_ratio((), SPRING) is None


def test_tiers_that_pay_more_carry_those_that_pay_less() -> None:
    lives = (
        life(1, SPRING[0], tier="rich"),
        life(2, SPRING[0], tier="poor"),
        life(3, SPRING[0], tier="poor"),
        life(4, SPRING[0], SPRING[0], tier="gone"),
    )
    rates = tuple(
        rate(number, SPRING[0], cents) for number, cents in ((1, 2000), (2, 300), (3, 500))
    )
    rates += (rate(4, SPRING[0], 1),)
    rich, poor = tiers(served(lives, rates, UNTIL), 1000)
    assert (rich.tier, rich.paid, rich.cost, rich.transfer) == ("rich", 2000, 333, 1667)
    assert (poor.subscriptions, poor.paid, poor.cost, poor.transfer) == (2, 800, 667, 133)


@given(st.integers(0, 10**9))
def test_the_costs_of_tiers_add_up_to_the_cost(monthly_cost: int) -> None:
    facts = example()
    found = tiers(served(facts.lives, facts.rates, UNTIL), monthly_cost)
    assert sum(tier.cost for tier in found) == monthly_cost


def test_no_subscription_has_no_tier() -> None:
    assert tiers((), 1000) == ()


def test_sales_are_told_by_territory_and_seller() -> None:
    lives = (
        life(1, SPRING[0], territory="Trièves"),
        life(2, SPRING[0], territory="Trièves", subscriber_reference="person-01"),
        life(3, SPRING[0], territory="Trièves", seller="Autre"),
        life(4, SPRING[0], SPRING[1], territory="Vercors"),
    )
    rates = tuple(rate(number, SPRING[0], 1000) for number in range(1, 5))
    one, other = sales(served(lives, rates, UNTIL))
    assert (one.seller, one.subscribers, one.revenue) == (BUSINESS, 1, 2000)
    assert (other.seller, other.subscribers, other.revenue) == ("Autre", 1, 1000)


def test_all_that_was_received_stays_somewhere() -> None:
    facts = example()
    assert sum(one.cents for one in stays(facts.portions)) == facts.paid_cents
    back = replace(facts.portions[0], cents=-facts.portions[0].cents)
    assert stays((facts.portions[0], back)) == (Stays("Trièves", 0),)
