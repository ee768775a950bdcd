from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as some

from provision.subscriptions.reports.gather_shares import dealt

WEIGHTS = some.lists(some.integers(-10_000, 1_000_000), min_size=1, max_size=8).filter(
    lambda weights: sum(weights) > 0
)


@given(WEIGHTS, some.data())
def test_the_parts_of_a_payment_add_up_to_it(weights: list[int], data: some.DataObject) -> None:
    whole = sum(weights)
    paid = data.draw(some.integers(0, whole))
    parts = list(dealt(weights, whole, paid))
    assert sum(parts) == paid
    for weight, part in zip(weights, parts, strict=True):
        assert abs(part - Fraction(weight * paid, whole)) < 1


@given(WEIGHTS)
def test_all_of_a_document_gives_each_share_whole_and_nothing_gives_nothing(
    weights: list[int],
) -> None:
    assert list(dealt(weights, sum(weights), sum(weights))) == weights
    assert not any(dealt(weights, sum(weights), 0))


def test_five_of_twelve_euros_are_dealt_like_this() -> None:
    assert list(dealt([200, 300, 700], 1_200, 500)) == [83, 125, 292]
