from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as some

from provision.money import MoneyRefused, apportion, half_up

if TYPE_CHECKING:
    from random import Random

WEIGHTS = some.lists(some.integers(-10_000, 1_000_000), min_size=1, max_size=8).filter(
    lambda weights: sum(weights) != 0
)
SHARES = some.lists(some.integers(0, 1_000_000), min_size=1, max_size=8).filter(any)
UNITS = some.integers(-(10**9), 10**9)


@given(WEIGHTS, UNITS)
def test_parts_add_up_and_nobody_is_more_than_a_cent_away(weights: list[int], units: int) -> None:
    whole, parts = sum(weights), apportion(weights, units)
    assert sum(parts) == units
    for weight, part in zip(weights, parts, strict=True):
        assert abs(part - Fraction(weight * units, whole)) <= 1
        assert weight or not part


@given(WEIGHTS, UNITS, some.integers(0, 8), some.randoms())
def test_what_is_named_first_has_the_same_however_the_rest_is_cut_and_ordered(
    weights: list[int], units: int, place: int, chance: Random
) -> None:
    first, rest = weights[:place], weights[place:]
    chance.shuffle(rest)
    parts = apportion([*first, *rest], units)[: len(first)]
    assert parts == apportion(weights, units)[: len(first)]
    assert parts == apportion([*first, sum(rest)], units)[: len(first)]
    assert sum(parts) == half_up(sum(first) * units, sum(weights))


@given(SHARES, UNITS, some.integers(0, 10**6))
def test_who_is_named_first_never_loses_when_there_is_more(
    weights: list[int], units: int, more: int
) -> None:
    before, after = (apportion(weights, cents) for cents in (units, units + more))
    for place in range(len(weights)):
        assert sum(before[: place + 1]) <= sum(after[: place + 1])


@given(WEIGHTS, UNITS)
def test_both_signs_are_apportioned_alike(weights: list[int], units: int) -> None:
    parts = apportion(weights, units)
    assert apportion(weights, -units) == tuple(-part for part in parts)
    assert apportion([-weight for weight in weights], units) == parts


@given(WEIGHTS)
def test_all_of_it_gives_each_its_weight_and_nothing_gives_nothing(weights: list[int]) -> None:
    assert list(apportion(weights, sum(weights))) == weights
    assert not any(apportion(weights, 0))


def test_five_of_twelve_euros_are_apportioned_like_this() -> None:
    assert apportion([200, 300, 700], 500) == (83, 125, 292)


def test_half_a_cent_goes_to_who_is_named_first() -> None:
    assert apportion([167, 833], 500) == (84, 416)
    assert apportion([833, 167], 500) == (417, 83)


def test_nothing_is_apportioned_to_nobody() -> None:
    assert apportion([], 0) == ()
    assert apportion([5, -5], 0) == (0, 0)
    with pytest.raises(MoneyRefused, match="Nobody has a share"):
        apportion([5, -5], 1)
