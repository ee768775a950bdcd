from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.errors import UsageRefused
from provision.money import MoneyRefused
from provision.subscriptions.commons import shared_costs

INSTANCES = [(f"Instance {number}", 1) for number in range(1, 21)]


def test_six_hundred_thousand_euros_are_thirty_thousand_for_each_of_twenty() -> None:
    carried = shared_costs.share(60_000_000, INSTANCES)
    assert {one.units for one in carried} == {3_000_000}


def test_weights_share_in_proportion_and_the_first_gets_the_odd_cent() -> None:
    carried = shared_costs.share(1001, [("Nantes", 1), ("Caen", 1), ("Lille", 2)])
    assert [one.units for one in carried] == [250, 250, 501]
    assert [one.units for one in shared_costs.share(1, [("Nantes", 1), ("Caen", 1)])] == [1, 0]


@given(
    st.integers(1, 10**9),
    st.lists(st.integers(0, 50), min_size=1, max_size=20).filter(any),
)
def test_what_all_carry_is_the_cost(units: int, weights: list[int]) -> None:
    carriers = [(f"Instance {number}", weight) for number, weight in enumerate(weights)]
    carried = shared_costs.share(units, carriers)
    assert sum(one.units for one in carried) == units
    assert all(abs(one.units - units * one.weight / sum(weights)) < 1 for one in carried)


@pytest.mark.parametrize(
    ("typed", "read"),
    [("Nantes", ("Nantes", 1)), ("Nantes=3", ("Nantes", 3)), ("A=B=2", ("A=B", 2))],
)
def test_a_carrier_is_a_name_with_a_weight_or_without(typed: str, read: tuple[str, int]) -> None:
    assert shared_costs.carrier(typed) == read


@pytest.mark.parametrize("typed", ["Nantes=", "Nantes=-1", "Nantes=0.5", "=", "=3", "Nantes=٣"])
def test_what_is_no_carrier_is_refused(typed: str) -> None:
    with pytest.raises(UsageRefused):
        shared_costs.carrier(typed)


@pytest.mark.parametrize(
    ("units", "carriers", "why"),
    [
        (0, [("Nantes", 1)], "cost of nothing"),
        (100, [("Nantes", 1), ("NANTES", 1)], "carries the cost twice"),
        (100, [("Nantes", 0)], "Nobody has a share"),
        (100, [("Nantes", 10_001), ("Caen", 1)], "more than 10000 parts"),
    ],
)
def test_a_cost_that_cannot_be_shared_is_refused(
    units: int, carriers: list[tuple[str, int]], why: str
) -> None:
    with pytest.raises((UsageRefused, MoneyRefused), match=why):
        shared_costs.share(units, carriers)
