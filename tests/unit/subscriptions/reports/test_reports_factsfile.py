from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from provision.errors import PaquetError
from provision.shipped import share
from provision.subscriptions.reports import factsfile, modelfile
from provision.subscriptions.reports.facts import (
    CashAtHand,
    Cost,
    Given,
    Income,
    Pledge,
    Reciprocity,
)
from provision.subscriptions.reports.model import solve

if TYPE_CHECKING:
    from pathlib import Path

BUSINESS, ASSOCIATION = "Boutique Libre", "Les Amis du Libre"
FIRST, LAST = date(2026, 1, 1), date(2026, 3, 31)
EXAMPLE = share("templates") / "report.example.toml"
MODEL = share("templates") / "model.example.toml"
COST = """
[[cost]]
organisation = "Boutique Libre"
label = "Serveurs"
kind = "infrastructure"
amount = "17.00"
"""


def test_the_example_tells_one_of_each() -> None:
    told = factsfile.read(EXAMPLE)
    assert (told.title, told.hourly) == ("Le Paquet du Calvados", 3_500)
    assert told.organisations == {BUSINESS, ASSOCIATION}
    assert told.rescrits() == {ASSOCIATION: date(2026, 2, 20)}
    assert told.at_hand(LAST) == (CashAtHand(BUSINESS, 1_850_000, LAST),)
    assert told.pledges() == (Pledge("Financement participatif", 1_000_000, 640_000),)
    assert told.frauds() == {(BUSINESS, "F2026-000005")}
    assert told.given() == (
        Given(date(2026, 3, 4), "membre-17", ASSOCIATION, 6 * 3600 + 1800, commons=True),
    )
    assert told.reciprocities() == (
        Reciprocity(BUSINESS, "Nextcloud", 300, 2_000_000, 60_000, 45_000, "2026"),
    )


def test_the_costs_of_the_example_are_the_2500_euros_a_month_of_the_founding_case() -> None:
    costs = factsfile.read(EXAMPLE).costs(FIRST, LAST)
    monthly = [one for one in costs if one.incompressible]
    assert sum(one.cents for one in monthly if one.day == FIRST) == 170_000 + 80_000
    assert [one.day for one in monthly if one.label == "Serveurs"] == [
        date(2026, month, 1) for month in (1, 2, 3)
    ]
    assert [one for one in costs if not one.incompressible] == [
        Cost(date(2026, 2, 10), ASSOCIATION, "Affiches", "other", 12_050, incompressible=False)
    ]


def test_incomes_keep_what_they_were_paid_for() -> None:
    dues, grant = factsfile.read(EXAMPLE).incomes(FIRST, LAST)
    assert dues == Income(
        day=date(2026, 1, 15),
        organisation=ASSOCIATION,
        kind="dues",
        recurring=True,
        cents_received=90_000,
        months=12,
    )
    assert (grant.kind, grant.recurring, grant.cents_received) == ("grant", False, 600_000)


@pytest.mark.parametrize(
    ("when", "days"),
    [
        ("on = 2026-02-10", [date(2026, 2, 10)]),
        ("on = 2025-12-31", []),
        ("on = 2026-04-01", []),
        ("from = 2026-02-10", [date(2026, 2, 1), date(2026, 3, 1)]),
        ("from = 2020-01-01\nuntil = 2026-01-31", [date(2026, 1, 1)]),
        ("from = 2026-02-01\nuntil = 2026-02-01", [date(2026, 2, 1)]),
        ("from = 2027-01-01", []),
    ],
)
def test_a_monthly_cost_is_there_once_in_each_of_its_months(when: str, days: list[date]) -> None:
    costs = factsfile.parse(COST + when).costs(FIRST, LAST)
    assert [one.day for one in costs] == days
    assert all(one.cents == 1_700 for one in costs)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (COST, "cost 1: give either the day"),
        (COST + "on = 2026-01-01\nfrom = 2026-01-01", "cost 1: give either the day"),
        (COST + "on = 2026-01-01\nuntil = 2026-01-02", "cost 1: until is the end"),
        (COST + "from = 2026-02-01\nuntil = 2026-01-01", "cost 1: until is the end"),
        (COST + "on = 1926-01-01", "cost 1, on: 1926-01-01 cannot be"),
        (COST + 'on = "2026-01-01"', "is not a day"),
        (COST.replace('"17.00"', "17.00") + "on = 2026-01-01", "cost 1, amount: The amount 17.0"),
        (COST.replace('"17.00"', '"-17.00"') + "on = 2026-01-01", "negative"),
        (COST.replace("infrastructure", "fun") + "on = 2026-01-01", "cost 1, kind: Input should"),
        (COST.replace("label", "lable") + "on = 2026-01-01", "cost 1, label: Field required"),
        ('hourly = "50.00"', "hourly: Input should be less than or equal to 4500"),
        ("[[time]]\norganisation = 'A'\nperson = 'Jeanne Martin'\non = 2026-01-01", "reference"),
        ("[[fraud]]\norganisation = 'A'\ninvoice = 'F1'", "is not the number of an invoice"),
        ("[[costs]]", "costs: Extra inputs are not permitted"),
        ("cost =", "this is not TOML"),
    ],
)
def test_each_mistake_is_said_in_one_sentence(text: str, why: str) -> None:
    with pytest.raises(PaquetError, match=why) as refused:
        factsfile.parse(text)
    head, *mistakes = refused.value.message.splitlines()
    assert not mistakes or head == f"{len(mistakes)} mistakes:"


def test_a_second_rescrit_is_refused() -> None:
    one = '[[rescrit]]\norganisation = "A"\non = 2026-01-01\n'
    with pytest.raises(PaquetError, match="The rescrit of A is there twice"):
        factsfile.parse(one + one).rescrits()


def test_the_example_of_a_model_is_the_founding_case() -> None:
    """1 700 + 800 = 2 500; 450 × 5 min = 37.5 h × 35 € = 1 312.50; 3 950 - 3 812.50 = 137.50."""
    found = solve(modelfile.read(MODEL))
    assert found.cost == 170_000 + 80_000
    assert (found.subscribers, found.revenue, found.work) == (450, 395_000, 131_250)
    assert found.balance == 13_750
    assert found.break_even == 427  # 2 500 / (3 950 / 450 - 35 / 12), rounded up
    assert found.receives == {"Boutique": 217_250, "Association": 118_500, "coordination": 59_250}


@pytest.mark.parametrize(
    ("right", "wrong", "why"),
    [
        (
            'label = "Services"',
            'label = "Infrastructure"',
            "The cost Infrastructure is there twice",
        ),
        ('who = "Association"', 'who = "Boutique"', "The share Boutique is there twice"),
        ("parts = 15", "parts = -15", "share 3, parts: Input should be greater"),
        ('hourly = "35.00"', "hourly = 35", "work, hourly: The amount 35 is not written as text"),
        ("minutes = 5", "minutes = 60", "work, minutes: Input should be less"),
        ("[work]", "[works]", "work: Field required"),
        ("subscribers = 160", "subscribers = -160", "A number of the model is below zero"),
    ],
)
def test_a_wrong_model_is_refused_in_one_sentence(
    tmp_path: Path, right: str, wrong: str, why: str
) -> None:
    text = MODEL.read_text(encoding="utf-8")
    assert right in text
    file = tmp_path / "model.toml"
    file.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(PaquetError, match=why):
        solve(modelfile.read(file))
