from __future__ import annotations

import pytest

from provision.errors import UsageRefused
from provision.subscriptions import organisations, people


@pytest.mark.parametrize("typed", ["732829320", "732 829 320", "356 000 000", " 552100554"])
def test_a_siren_with_a_right_key_is_taken(typed: str) -> None:
    assert organisations.siren(typed) == typed.replace(" ", "")


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("732829321", "wrong digit"),
        ("73282932", "is not a SIREN"),
        ("73282932000074", "is not a SIREN"),
        ("٧٣٢٨٢٩٣٢٠", "is not a SIREN"),
        ("=cmd()", "is not a SIREN"),
        ("732829320\n", "is not a SIREN"),
    ],
)
def test_what_is_no_siren_is_refused(typed: str, why: str) -> None:
    with pytest.raises(UsageRefused, match=why):
        organisations.siren(typed)


def test_each_single_wrong_digit_is_noticed() -> None:
    right = "732829320"
    for place, digit in enumerate(right):
        for other in set("0123456789") - {digit}:
            with pytest.raises(UsageRefused):
                organisations.siren(right[:place] + other + right[place + 1 :])


def test_a_reference_says_nothing_without_its_salt() -> None:
    assert people.salted(1, "a") != people.salted(1, "b")
    assert people.salted(1, "a") == people.salted(1, "a")
    assert people.salted(1, "a") != people.salted(2, "a")
