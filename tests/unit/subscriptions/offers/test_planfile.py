from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from provision import shipped
from provision.errors import PaquetError
from provision.subscriptions.offers import planfile

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """
[[plan]]
code = "solo"
name = { fr = "Solo", en = "Alone" }
users = 1
quota_gib = 20
[[plan.price]]
from = 2026-01-01
monthly = "6,00"
yearly = "66.00"
"""
SECOND_PRICE = '[[plan.price]]\nfrom = 2027-01-01\nmonthly = "7.00"\n'


def test_a_plan_is_read_whole() -> None:
    (plan,) = planfile.parse(GOOD + SECOND_PRICE)
    assert (plan.code, plan.name.fr, plan.name.en, plan.users) == ("solo", "Solo", "Alone", 1)
    assert [(price.valid_from, price.monthly, price.yearly) for price in plan.price] == [
        (date(2026, 1, 1), 600, 6600),
        (date(2027, 1, 1), 700, None),
    ]


def test_the_example_that_we_ship_is_good() -> None:
    plans = planfile.read(shipped.share("templates") / "plans.example.toml")
    assert [plan.code for plan in plans] == [
        "solo",
        "famille",
        "association",
        "equipe",
        "quotient",
        "libre",
        "boutique",
    ]


@pytest.mark.parametrize(
    ("right", "wrong", "why"),
    [
        ('"6,00"', "6.0", "plan 1, price 1, monthly: The amount 6.0 is not written as text"),
        ('"6,00"', "6", "The amount 6 is not written as text"),
        ('"6,00"', '"-6"', "The amount -6 is negative"),
        ('"6,00"', '"12345678901234567890"', "more than 12 digits"),
        ('"6,00"', '"six"', "'six' is not an amount in EUR"),
        ("2026-01-01", '"2026-01-01"', "price 1, from: '2026-01-01' is not a day"),
        ("2026-01-01", "2026-01-01T10:00:00", "is not a day"),
        ("2026-01-01", "1900-01-01", "1900-01-01 cannot be a first day"),
        ("2026-01-01", "9999-01-01", "9999-01-01 cannot be a first day"),
        ('"solo"', '"So lo"', "plan 1, code: “So lo” is not a code"),
        ('"solo"', "7", "plan 1, code: "),
        ('fr = "Solo", ', "", "plan 1, name, fr: Field required"),
        ('"Solo"', '"So\\nlo"', "holds a character that cannot be seen"),
        ("users = 1", "users = 0", "plan 1, users: "),
        ("users = 1", "users = true", "plan 1, users: "),
        ("users = 1", "users = 1\ncolour = 3", "plan 1, colour: "),
        ("[[plan]]", "[[plan", "this is not TOML"),
    ],
)
def test_each_mistake_gets_one_sentence_that_says_where(right: str, wrong: str, why: str) -> None:
    with pytest.raises(PaquetError, match=why) as refused:
        planfile.parse(GOOD.replace(right, wrong, 1))
    assert "\n" not in refused.value.message


def test_all_mistakes_are_told_at_once_each_on_its_line() -> None:
    with pytest.raises(PaquetError) as refused:
        planfile.parse(GOOD.replace("users = 1", "users = 0").replace("plan.price", "plan.prices"))
    assert refused.value.message.splitlines() == [
        "3 mistakes:",
        "  plan 1, users: Input should be greater than or equal to 1",
        "  plan 1, price: Field required",
        "  plan 1, prices: Extra inputs are not permitted",
    ]
    again = GOOD + "[[plan.price]]\ncomponent = 'x'\nfrom = 2026-01-01\nmonthly = '1.00'\n"
    with pytest.raises(PaquetError) as refused:
        planfile.parse(GOOD + again)
    assert refused.value.message.splitlines() == [
        "2 mistakes:",
        "  the plan solo is there twice. Give each its own code.",
        "  the plan solo has a price for x, which it does not have. Its components are bundle.",
    ]


def test_of_very_many_mistakes_the_first_ones_are_told() -> None:
    with pytest.raises(PaquetError) as refused:
        planfile.parse("\n".join(GOOD.replace("users = 1", "users = 0") for _plan in range(40)))
    head, *told, last = refused.value.message.splitlines()
    assert (head, len(told), last) == ("40 mistakes:", 30, "  and 10 more")


def test_no_plan_at_all_is_refused() -> None:
    with pytest.raises(PaquetError, match="plan: Field required"):
        planfile.parse("")


def test_a_code_that_is_there_twice_is_refused() -> None:
    with pytest.raises(PaquetError, match="the plan solo is there twice"):
        planfile.parse(GOOD + GOOD)


def test_two_prices_of_one_day_are_refused() -> None:
    with pytest.raises(PaquetError, match="two prices from 2026-01-01"):
        planfile.parse(GOOD + SECOND_PRICE.replace("2027", "2026"))


def test_a_file_that_is_no_text_is_refused_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "plans.toml"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(PaquetError, match=r"plans\.toml cannot be read"):
        planfile.read(file)
