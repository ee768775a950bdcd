from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from provision.errors import PaquetError, UsageRefused
from provision.subscriptions.offers import tariffs
from provision.subscriptions.offers.tariffs import FreePrice, Means, Tariff, Tier

FORMULA = "persons == 0 ? 10000 : income / persons < 1000 ? 5000 : 10000"
BY_MEANS = Tariff(formula=FORMULA, asks=("income", "persons"))
TIERED = Tariff(tiers=(Tier(code="half", name_fr="Demi", name_en="Half", basis_points=5000),))
MOST = 10**12


def test_a_fixed_price_is_asked_whole() -> None:
    assert tariffs.points(Tariff(), Means()) == 10_000
    assert tariffs.chosen(Tariff(), Means(chosen=5)) is None


def test_a_tier_is_a_part_of_the_price() -> None:
    assert tariffs.points(TIERED, Means(tier="half")) == 5000
    assert tariffs.points(TIERED, Means()) == 10_000
    with pytest.raises(UsageRefused, match="The plan has no tier 'none'"):
        tariffs.points(TIERED, Means(tier="none"))


@given(income=st.integers(0, MOST), persons=st.integers(0, MOST))
def test_a_formula_gives_a_part_of_the_price_or_says_why_not(income: int, persons: int) -> None:
    found = tariffs.points(BY_MEANS, Means(declared={"income": income, "persons": persons}))
    assert found == (5000 if persons and income // persons < 1000 else 10_000)


def test_what_is_not_declared_is_asked_for() -> None:
    with pytest.raises(UsageRefused, match="The price depends on persons"):
        tariffs.points(BY_MEANS, Means(declared={"income": 5}))


@pytest.mark.parametrize(
    ("formula", "declared"),
    [
        ("income / persons", {"income": 1, "persons": 0}),
        ("income * income * income", {"income": MOST, "persons": 1}),
        ("income % persons", {"income": 1, "persons": 0}),
        ("income - 1", {"income": 0, "persons": 0}),
        ("income", {"income": 10_001, "persons": 0}),
    ],
)
def test_a_formula_that_goes_wrong_is_one_sentence(formula: str, declared: dict[str, int]) -> None:
    """Division by zero, overflow, below nothing, more than all."""
    tariff = Tariff(formula=formula, asks=("income", "persons"))
    with pytest.raises(UsageRefused, match="The formula of the price"):
        tariffs.points(tariff, Means(declared=declared))


@pytest.mark.parametrize(
    "formula",
    [
        "",
        "income +",
        "incme",
        "income / 2.0",
        "'a'",
        "income < 5",
        "[1, 2]",
        "__import__('os').system('true')",
        "{{ income }}",
        "has(income.x)",
        "\x00",
        "(" * 300 + "1" + ")" * 300,
    ],
)
def test_a_formula_that_is_not_one_is_refused_when_it_is_read(formula: str) -> None:
    with pytest.raises(PaquetError, match=r"The formula (is not understood|gives )"):
        tariffs.check_formula(formula, ("income",))


def test_a_formula_cannot_be_a_book() -> None:
    with pytest.raises(ValidationError, match="at most 500"):
        Tariff(formula="1" + " + 1" * 200)


def test_a_free_price_has_a_floor_and_a_reference() -> None:
    free = Tariff(free=FreePrice(floor=200, reference=500))
    assert tariffs.chosen(free, Means()) == 500
    assert tariffs.chosen(free, Means(chosen=200)) == 200
    with pytest.raises(UsageRefused, match=r"The price is free from €2\.00 on"):
        tariffs.chosen(free, Means(chosen=199))


@given(units=st.integers(-(10**12), 10**12), points=st.integers(0, 10_000))
def test_a_part_and_the_rest_are_within_a_cent_of_the_whole(units: int, points: int) -> None:
    part, rest = tariffs.part(units, points), tariffs.part(units, 10_000 - points)
    assert abs(units - part - rest) <= 1
    assert tariffs.part(-units, points) == -part


def test_what_is_typed_becomes_means() -> None:
    typed = ["income=1200", "persons=3"]
    found = tariffs.parse_means(BY_MEANS, "", typed, None)
    assert found == Means(declared={"income": 1200, "persons": 3})
    free = Tariff(free=FreePrice(floor=0, reference=0))
    assert tariffs.parse_means(free, "", [], "3,50") == Means(chosen=350)


@pytest.mark.parametrize(
    "typed",
    ["income", "income=", "=5", "income=-1", "income=1.5", "income=1e3", "income=٣", "a b=1"],
)
def test_what_is_no_declaration_is_refused(typed: str) -> None:
    with pytest.raises(UsageRefused, match="is not a name and whole euros"):
        tariffs.parse_means(BY_MEANS, "", [typed], None)


@given(typed=st.text(max_size=60))
def test_nothing_that_is_typed_is_a_bug(typed: str) -> None:
    try:
        found = tariffs.parse_means(BY_MEANS, "", [typed], None)
    except PaquetError:
        return
    assert set(found.declared) <= set(BY_MEANS.asks)
