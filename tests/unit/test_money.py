from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision import money
from provision.money import Amount, Commodity, MoneyRefused, euros, parse, show, split

cents = st.integers(min_value=-(10**14) + 1, max_value=10**14 - 1)
shares = st.lists(st.integers(min_value=0, max_value=120), min_size=1, max_size=6).filter(any)
HOURS = Commodity("HOUR", "h", 0)


@pytest.mark.parametrize(
    ("written", "units"),
    [("12", 1200), ("12.50", 1250), ("12,50", 1250), ("0,05", 5), (" 7 ", 700), ("007", 700)],
)
def test_an_amount_is_read_with_comma_or_point(written: str, units: int) -> None:
    assert parse(written) == euros(units)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "-",
        "abc",
        "NaN",
        "inf",
        "1e3",
        "12.5",
        "12.505",
        "1.234",
        "1 234,50",
        "1,234.50",
        "12.50€",
        "+12",
        "٣",
        "12.50\n",
        "12,,50",
        ".50",
        "12.",
    ],
)
def test_what_is_not_exactly_an_amount_is_refused(written: str) -> None:
    with pytest.raises(MoneyRefused, match="is not an amount in EUR"):
        parse(written)


@pytest.mark.parametrize("number", [12.5, 12, float("nan"), None, True])
def test_a_number_that_is_not_text_is_refused(number: object) -> None:
    with pytest.raises(MoneyRefused, match="not written as text"):
        parse(number)


def test_twenty_digits_are_refused() -> None:
    with pytest.raises(MoneyRefused, match="more than 12 digits"):
        parse("12345678901234567890")


def test_a_negative_amount_is_refused_unless_it_is_asked_for() -> None:
    with pytest.raises(MoneyRefused, match="is negative"):
        parse("-3.00")
    assert parse("-3.00", negative=True) == euros(-300)


def test_french_uses_the_spaces_that_do_not_break() -> None:
    assert show(euros(123456750), "fr") == "1\u202f234\u202f567,50\u00a0€"
    assert show(euros(-5), "fr") == "-0,05\u00a0€"


def test_english_puts_the_sign_first() -> None:
    assert show(euros(123456750), "en") == "€1,234,567.50"
    assert show(euros(-1250), "en") == "-€12.50"


@given(cents)
def test_what_is_written_plainly_reads_back(units: int) -> None:
    assert parse(money.plain(euros(units)), negative=True) == euros(units)


def test_commodities_never_mix() -> None:
    with pytest.raises(MoneyRefused, match="EUR and HOUR cannot be added up"):
        euros(1) + Amount(HOURS, 1)
    assert euros(5) - euros(7) == euros(-2)


def test_an_unknown_commodity_is_refused() -> None:
    with pytest.raises(MoneyRefused, match="'DOGE' is not known"):
        money.find_commodity("DOGE")


@pytest.mark.parametrize("units", [1.0, "1", True, None])
def test_an_amount_is_whole(units: object) -> None:
    with pytest.raises(MoneyRefused, match="is not a whole number"):
        Amount(money.EUR, units)  # type: ignore[arg-type]


def test_three_years_of_ten_euros_in_thirds_are_equal() -> None:
    totals, carried = [0, 0, 0], 0
    for _month in range(36):
        done = split(1000, (1, 1, 1), carried)
        totals = [total + part for total, part in zip(totals, done.parts, strict=True)]
        carried = done.carried
    assert totals == [12000, 12000, 12000]


def test_the_one_who_is_named_first_gets_the_odd_cent() -> None:
    assert split(5, (1, 1)).parts == (3, 2)


def test_the_next_odd_cent_goes_to_the_other() -> None:
    first = split(5, (1, 1))
    assert split(5, (1, 1), first.carried).parts == (2, 3)


@given(shares, st.lists(cents, max_size=12))
def test_parts_sum_exactly_and_nobody_is_ever_a_cent_away(
    weights: list[int], amounts: list[int]
) -> None:
    carried, totals = 0, [0] * len(weights)
    for number, amount in enumerate(amounts):
        done = split(amount, weights, carried)
        carried = done.carried
        assert sum(done.parts) == amount
        assert all(part * amount >= 0 for part in done.parts)
        totals = [total + part for total, part in zip(totals, done.parts, strict=True)]
        given_out = sum(amounts[: number + 1])
        away = [
            Fraction(given_out * weight, sum(weights)) - total
            for weight, total in zip(weights, totals, strict=True)
        ]
        assert all(abs(distance) < 1 for distance in away)
        assert tuple(away) == money.remainders(weights, carried)


@given(shares, cents, cents)
def test_both_signs_are_treated_alike(weights: list[int], amount: int, carried: int) -> None:
    there, back = split(amount, weights, carried), split(-amount, weights, -carried)
    assert back.parts == tuple(-part for part in there.parts)
    assert back.carried == -there.carried


@given(shares, cents, cents)
def test_a_refund_undoes_the_split(weights: list[int], before: int, amount: int) -> None:
    there = split(amount, weights, before)
    back = split(-amount, weights, there.carried)
    assert back.parts == tuple(-part for part in there.parts)
    assert back.carried == before


@given(shares, cents)
def test_who_has_no_share_gets_nothing(weights: list[int], amount: int) -> None:
    assert split(amount, [*weights, 0]).parts[-1] == 0


@pytest.mark.parametrize(
    ("weights", "why"),
    [
        ((), "Nobody has a share"),
        ((0, 0), "Nobody has a share"),
        ((2, -1), "is negative"),
        ((0.5, 0.5), "not a whole number"),
        ((9999, 10000), "more than 10000 parts"),
    ],
)
def test_shares_that_cannot_be_exact_are_refused(weights: tuple[int, ...], why: str) -> None:
    with pytest.raises(MoneyRefused, match=why):
        split(100, weights)


def test_part_of_an_amount_must_be_whole() -> None:
    with pytest.raises(MoneyRefused, match="not a whole number"):
        split(10.0, (1, 1))  # type: ignore[arg-type]
