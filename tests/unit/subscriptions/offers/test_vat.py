from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.money import half_up
from provision.subscriptions.offers.vat import GROSS, NET, Taxation, Taxed, Treatment, asked, tax

LINES = st.lists(st.integers(-(10**9), 10**9), max_size=12)
RATES = st.sampled_from([0, 210, 550, 1000, 2000])


def test_ten_euros_with_vat_hold_one_euro_sixty_seven() -> None:
    assert tax([1000], GROSS, 2000) == (Taxed(833, 167),)


def test_ten_euros_without_vat_get_two_on_top() -> None:
    assert tax([1000], NET, 2000) == (Taxed(1000, 200),)


def test_three_cheap_lines_are_taxed_as_one() -> None:
    """By itself each would hold no VAT at all: 0.02 at 20 % is a third of a cent."""
    assert sum(one.vat for one in tax([2, 2, 2], GROSS, 2000)) == 1


@given(lines=LINES, rate=RATES)
def test_prices_with_vat_are_what_is_paid(lines: list[int], rate: int) -> None:
    assert [one.net + one.vat for one in tax(lines, GROSS, rate)] == lines


@given(lines=LINES, rate=RATES)
def test_prices_without_vat_are_what_is_sold(lines: list[int], rate: int) -> None:
    assert [one.net for one in tax(lines, NET, rate)] == lines


@given(lines=LINES, rate=RATES, basis=st.sampled_from([GROSS, NET]))
def test_vat_is_that_of_the_sum_and_each_line_within_a_cent(
    lines: list[int], rate: int, basis: str
) -> None:
    taxed = tax(lines, basis, rate)
    whole = 10_000 + rate if basis == GROSS else 10_000
    assert sum(one.vat for one in taxed) == half_up(sum(lines) * rate, whole)
    for units, one in zip(lines, taxed, strict=True):
        assert abs(one.vat * whole - units * rate) <= whole


@given(lines=LINES, rate=RATES, basis=st.sampled_from([GROSS, NET]))
def test_what_is_given_back_holds_the_same_vat(lines: list[int], rate: int, basis: str) -> None:
    back = tax([-units for units in lines], basis, rate)
    assert [Taxed(-one.net, -one.vat) for one in back] == list(tax(lines, basis, rate))


@pytest.mark.parametrize("basis", [GROSS, NET])
def test_without_a_rate_there_is_no_vat(basis: str) -> None:
    assert tax([999], basis, 0) == (Taxed(999, 0),)


@given(lines=LINES, held=RATES)
def test_who_owes_no_vat_here_pays_what_others_pay_without_it(lines: list[int], held: int) -> None:
    abroad = Taxation(GROSS, Treatment("AE", 0, "union_business"), held)
    taxed = asked(lines, abroad)
    assert [one.net for one in taxed] == [one.net for one in tax(lines, GROSS, held)]
    assert {one.vat for one in taxed} <= {0}


@given(units=st.integers(0, 10**9), held=RATES)
def test_the_price_of_what_is_left_leads_back_to_it(units: int, held: int) -> None:
    abroad = Taxation(GROSS, Treatment("AE", 0, "union_business"), held)
    assert asked([abroad.priced(units)], abroad) == (Taxed(units, 0),)
