from __future__ import annotations

from provision.subscriptions.parties import people


def test_a_reference_says_nothing_without_its_salt() -> None:
    assert people.salted(1, "a") != people.salted(1, "b")
    assert people.salted(1, "a") == people.salted(1, "a")
    assert people.salted(1, "a") != people.salted(2, "a")
