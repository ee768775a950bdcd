from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.errors import PaquetError, UsageRefused
from provision.subscriptions.reports.model import Model, Offer, solve
from provision.subscriptions.reports.rows import model_rows

PLACE = Model(
    offers=(Offer("bureau", 5_000, 50),), costs={"infrastructure": 170_000, "services": 80_000}
)
SHOP = Model(
    offers=(Offer("solo", 600, 40), Offer("famille", 1000, 20)),
    costs={"servers": 12_000},
    shares={"coordination": 15, "association": 25, "business": 60},
    seconds=300,
    hourly_cents=3600,
    growth=3,
)


def test_a_place_of_2500_a_month_is_carried_by_fifty_at_50_euros() -> None:
    found = solve(PLACE)
    assert (found.revenue, found.cost, found.balance) == (250_000, 250_000, 0)
    assert found.coverage == 1
    assert (found.break_even, found.months) == (50, 0)


def test_one_subscriber_less_does_not_carry_it() -> None:
    found = solve(replace(PLACE, offers=(Offer("bureau", 5_000, 49),)))
    assert (found.balance, found.months) == (-5_000, None)


def test_fifty_euros_a_month_were_too_much_for_some() -> None:
    assert any("too much for some" in note for note in solve(PLACE).notes)
    cheaper = replace(PLACE, offers=(Offer("bureau", 4_999, 50),))
    assert not any("too much for some" in note for note in solve(cheaper).notes)


def test_a_mix_of_offers_keeps_its_mix() -> None:
    """Average price 7.3333 €, work 3.00 €, so 4.3333 € of each subscriber carry 120 €."""
    found = solve(SHOP)
    assert (found.revenue, found.work, found.balance) == (44_000, 18_000, 14_000)
    assert found.break_even == 28
    assert found.coverage == Fraction(44, 30)
    assert found.receives == {"coordination": 6_600, "association": 11_000, "business": 26_400}
    assert found.notes == ()


def test_growth_says_in_how_many_months() -> None:
    small = replace(SHOP, offers=(Offer("solo", 600, 4), Offer("famille", 1000, 2)))
    assert solve(small).months == 8  # 22 are lacking, 3 come each month
    assert solve(replace(small, growth=0)).months is None


def test_before_the_first_subscriber_each_offer_counts_the_same() -> None:
    start = replace(SHOP, offers=(Offer("solo", 600, 0), Offer("famille", 1000, 0)))
    found = solve(start)
    assert (found.subscribers, found.revenue, found.break_even, found.months) == (0, 0, 24, 8)


def test_who_costs_as_much_as_he_pays_never_carries_anything() -> None:
    dear = replace(SHOP, seconds=3600)
    assert (solve(dear).break_even, solve(dear).months) == (None, None)
    assert solve(replace(dear, costs={})).break_even is None
    assert solve(replace(SHOP, costs={})).break_even == 0


@given(
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 300)), min_size=1, max_size=4),
    st.integers(0, 10**6),
    st.integers(0, 7200),
    st.integers(1, 20),
)
def test_break_even_is_the_smallest_number_that_carries(
    told: list[tuple[int, int]], cost: int, seconds: int, growth: int
) -> None:
    offers = tuple(Offer(str(at), *offer) for at, offer in enumerate(told))
    model = Model(offers, {"all": cost}, seconds=seconds, growth=growth)
    found = solve(model)
    heads = sum(offer.subscribers for offer in offers)
    average = (
        Fraction(found.revenue, heads)
        if heads
        else Fraction(sum(offer.monthly_cents for offer in offers), len(offers))
    )
    margin = average - Fraction(seconds * model.hourly_cents, 3600)
    if found.break_even is None:
        assert margin < 0 or (margin == 0 and cost)
        return
    assert found.break_even * margin >= cost
    assert found.break_even == 0 or (found.break_even - 1) * margin < cost
    assert found.months is not None
    assert heads + found.months * growth >= found.break_even
    assert found.months == 0 or heads + (found.months - 1) * growth < found.break_even


def test_six_hundred_thousand_a_year_over_twenty_instances() -> None:
    network = Model(offers=(Offer("instance", 250_000, 20),), costs={"software": 5_000_000})
    assert solve(network).break_even == 20
    assert solve(network).balance == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hourly_cents": 2_999}, "outside the €30.00 to €45.00"),
        ({"hourly_cents": 4_501}, "outside the €30.00 to €45.00"),
        ({"persons": 3}, "4 to 20 persons"),
        ({"persons": 21}, "4 to 20 persons"),
        ({"commons": 3_000}, "clients have gone elsewhere"),
        ({"seed": 99_999}, "€1,000.00 to €3,000.00"),
        ({"seed": 300_001}, "€1,000.00 to €3,000.00"),
        ({"shares": {"coordination": 9, "others": 91}}, "10 to 25 %"),
        ({"shares": {"coordination": 26, "others": 74}}, "10 to 25 %"),
        ({"persons": 15, "full_time_wage": 320_000}, "not everybody can be full time"),
    ],
)
def test_what_others_have_learnt_is_said(change: dict[str, object], said: str) -> None:
    notes = solve(replace(SHOP, **change)).notes  # type: ignore[arg-type]
    assert [said in note for note in notes] == [True]


@pytest.mark.parametrize(
    "change",
    [
        {"hourly_cents": 3_000},
        {"hourly_cents": 4_500},
        {"persons": 4},
        {"persons": 20},
        {"commons": 2_999},
        {"seed": 100_000},
        {"seed": 300_000},
        {"shares": {"coordination": 10, "others": 90}},
        {"shares": {"coordination": 25, "others": 75}},
    ],
)
def test_inside_the_bounds_nothing_is_said(change: dict[str, object]) -> None:
    assert solve(replace(SHOP, **change)).notes == ()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"offers": ()},
        {"offers": (Offer("x", -1, 1),)},
        {"offers": (Offer("x", 1, -1),)},
        {"offers": (Offer("x", 1, 10**8),)},
        {"costs": {"x": -1}},
        {"costs": {"x": 10**13}},
        {"seconds": -1},
        {"growth": -1},
        {"seed": -1},
        {"hourly_cents": -1},
    ],
)
def test_a_model_of_impossible_numbers_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(UsageRefused):
        solve(replace(SHOP, **change))  # type: ignore[arg-type]


@given(st.integers(0, 10**6), st.lists(st.integers(0, 99), min_size=1, max_size=5).filter(any))
def test_what_each_receives_adds_up_to_the_revenue(cents: int, parts: list[int]) -> None:
    shares = {str(at): part for at, part in enumerate(parts)}
    found = solve(Model((Offer("solo", cents, 7),), shares=shares))
    assert sum(found.receives.values()) == found.revenue == 7 * cents


def test_without_shares_nobody_is_said_to_receive_anything() -> None:
    assert solve(PLACE).receives == {}


def test_shares_that_cannot_be_exact_are_refused() -> None:
    with pytest.raises(PaquetError, match="negative"):
        solve(replace(SHOP, shares={"a": 2, "b": -1}))


def test_a_model_is_told_in_rows_with_units() -> None:
    found = model_rows(solve(replace(SHOP, persons=3)))
    assert found["model"] == [
        {
            "subscribers": 60,
            "revenue_cents": 44_000,
            "cost_cents": 12_000,
            "work_cents": 18_000,
            "balance_cents": 14_000,
            "coverage_basis_points": 14_667,
            "break_even": 28,
            "months": 0,
        }
    ]
    assert {"who": "association", "cents": 11_000} in found["receives"]
    (note,) = found["notes"]
    assert "4 to 20 persons" in str(note["note"])
