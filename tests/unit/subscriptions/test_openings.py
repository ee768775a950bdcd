from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.money import euros
from provision.subscriptions import journal, openings
from provision.subscriptions.contracts import MODES
from provision.subscriptions.openings import Opening, Parties

SELLER, SUPPORTER = 1, 2
PERSON = "person-jeanne"


def opened(mode: str, price: int = 1000, part: int = 300) -> dict[int, dict[tuple[str, str], int]]:
    """What each journal holds by account and party after the opening, in cents."""
    opening = Opening(7, date(2026, 1, 31), PERSON, euros(price), euros(part))
    books: dict[int, dict[tuple[str, str], int]] = {}
    for entry in openings.entries(opening, Parties(SELLER, SUPPORTER, mode)):
        journal.check(entry)
        books[entry.organisation_id] = {
            (line.account, line.party): line.amount.units for line in entry.lines
        }
    return books


def test_resale_the_seller_sells_all_and_owes_the_association_its_part() -> None:
    assert opened("resale") == {
        SELLER: {
            ("418", PERSON): 1000,
            ("487", PERSON): -1000,
            ("486", "organisation-2"): 300,
            ("408", "organisation-2"): -300,
        },
        SUPPORTER: {("418", "organisation-1"): 300, ("487", "organisation-1"): -300},
    }


def test_licensed_owes_the_same_since_only_the_way_of_payment_differs() -> None:
    assert opened("licensed") == opened("resale")


def test_two_contracts_each_sells_its_own_part_and_nobody_owes_the_other() -> None:
    assert opened("two_contracts") == {
        SELLER: {("418", PERSON): 700, ("487", PERSON): -700},
        SUPPORTER: {("418", PERSON): 300, ("487", PERSON): -300},
    }


def test_mecenat_a_gift_is_owed_to_nobody_before_it_is_given() -> None:
    assert opened("mecenat") == {SELLER: {("418", PERSON): 1000, ("487", PERSON): -1000}}


@pytest.mark.parametrize("mode", MODES)
def test_a_free_term_posts_nothing(mode: str) -> None:
    assert opened(mode, 0, 0) == {}


def test_an_association_without_a_part_has_no_entry() -> None:
    assert list(opened("resale", 1000, 0)) == [SELLER]


@given(st.sampled_from(MODES), st.integers(0, 10**9), st.data())
def test_no_revenue_or_expense_on_the_first_day(mode: str, price: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, price))
    sums: Counter[str] = Counter()
    for lines in opened(mode, price, part).values():
        assert sum(lines.values()) == 0
        for (account, _party), units in lines.items():
            sums[account] += units
    assert not [account for account in sums if account.startswith(("6", "7"))]
    if mode in {"resale", "licensed"}:
        assert sums["408"] == -part
