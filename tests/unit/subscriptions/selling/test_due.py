from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.subscriptions.offers import contracts
from provision.subscriptions.offers.catalogue import Item
from provision.subscriptions.offers.sharing import Agreement, Dealer, Rule
from provision.subscriptions.offers.terms import MONTHLY, MONTHS, YEARLY, Term
from provision.subscriptions.offers.vat import GROSS
from provision.subscriptions.selling import due, remainders
from provision.subscriptions.selling.due import Due, Reduction, Version

if TYPE_CHECKING:
    from provision.subscriptions.offers.catalogue import Asked, Catalogue, Wanted

FIRST = date(2026, 1, 31)
RULES = (Rule(2, None, 30), Rule(1, None, 70))


@dataclass
class Plain:
    """What a plan and a profile say, as far as the billing asks."""

    basis: str = GROSS
    vat: str = "liable"


class PriceList:
    """A catalogue without a registry: a user costs a plan's number of cents a month."""

    def __init__(self) -> None:
        self.asked: dict[tuple[object, ...], list[Asked]] = {}

    def items(self, wanted: Wanted) -> tuple[Item, ...]:
        units = wanted.plan_id * wanted.users * MONTHS[wanted.period]
        return (Item("bundle", "service", "Famille", 1, units),) if units else ()

    def plan(self, _plan_id: int) -> Plain:
        return Plain()

    def agreement(self, contract_id: int) -> Agreement:
        return Agreement(contract_id, 1, 2, contracts.RESALE, {"": RULES})

    def profile(self, _organisation_id: int, _day: date) -> Plain:
        return Plain()


CATALOGUE = cast("Catalogue", PriceList())


def version(from_day: date = FIRST, **words: object) -> Version:
    start = Version(from_day, FIRST, 333, MONTHLY, FIRST, 5, 3, 1, "{}")
    return start._replace(**words)  # type: ignore[arg-type]


def subscription(*versions: Version, **words: object) -> Due:
    start = Due(9, FIRST, None, "person-x", "fr", None, versions or (version(),))
    return replace(start, **words)  # type: ignore[arg-type]


def billed(one: Due, by: date) -> list[tuple[str, str, int]]:
    """The lines of all invoices by a day: first day, day after the last, gross cents."""
    made, _to = due.drafts_of(one, by, CATALOGUE, Dealer())
    return [
        (line.days.starts.isoformat(), line.days.until.isoformat(), line.net + line.vat)
        for draft in made
        for line in draft.lines
        if line.days
    ]


def test_a_term_is_owed_on_its_first_day_and_not_before() -> None:
    assert billed(subscription(), FIRST - timedelta(days=1)) == []
    assert billed(subscription(), FIRST) == [("2026-01-31", "2026-02-28", 999)]
    assert len(billed(subscription(), date(2026, 3, 31))) == 3


def test_a_known_change_cuts_the_term() -> None:
    one = subscription(version(), version(date(2026, 2, 14), users=6))
    assert billed(one, FIRST) == [
        ("2026-01-31", "2026-02-14", 500),
        ("2026-02-14", "2026-02-28", 999),
    ]


def test_another_plan_gets_an_invoice_of_its_own() -> None:
    one = subscription(version(), version(date(2026, 2, 14), plan_id=500))
    made, to = due.drafts_of(one, FIRST, CATALOGUE, Dealer())
    assert ([draft.net + draft.vat for draft in made], to) == ([500], date(2026, 2, 14))
    assert len(billed(one, date(2026, 2, 14))) == 2


def test_a_subscription_is_billed_to_its_last_day_and_no_further() -> None:
    one = subscription(last_day=date(2026, 2, 13))
    assert billed(one, date(2030, 1, 1)) == [("2026-01-31", "2026-02-14", 500)]
    assert billed(subscription(last_day=FIRST), date(2030, 1, 1))[0][:2] == (
        "2026-01-31",
        "2026-02-01",
    )


def test_each_draft_has_a_key_of_its_first_day() -> None:
    made, _to = due.drafts_of(subscription(), date(2026, 3, 1), CATALOGUE, Dealer())
    assert [draft.key for draft in made] == [
        "subscription:9:2026-01-31",
        "subscription:9:2026-02-28",
    ]


def test_discounts_of_a_day_add_up_to_the_whole_at_most() -> None:
    reductions = tuple(Reduction(FIRST, None, points, "a") for points in (3000, 4000))
    made, _to = due.drafts_of(subscription(reductions=reductions), FIRST, CATALOGUE, Dealer())
    (draft,) = made
    assert [line.net + line.vat for line in draft.lines] == [999, -699]
    assert draft.lines[1].item.label == "Remise de 70 % : a, a"
    beyond = tuple(Reduction(FIRST, None, points, "a") for points in (6000, 6000))
    made, _to = due.drafts_of(subscription(reductions=beyond), FIRST, CATALOGUE, Dealer())
    assert made == []


def test_another_term_begins_on_its_own_anchor() -> None:
    half = date(2026, 3, 15)
    one = subscription(version(), version(half, period=YEARLY, anchor_day=half))
    assert [line[:2] for line in billed(one, half)] == [
        ("2026-01-31", "2026-02-28"),
        ("2026-02-28", "2026-03-15"),
        ("2026-03-15", "2027-03-15"),
    ]


def total(lines: list[Asked]) -> int:
    return sum(line.units for line in lines)


REDUCTIONS = st.lists(
    st.builds(
        Reduction,
        first_day=st.dates(FIRST, date(2026, 8, 1)),
        last_day=st.one_of(st.none(), st.dates(date(2026, 8, 1), date(2026, 9, 1))),
        basis_points=st.integers(1, 9999),
        reason=st.just("essai"),
    ),
    max_size=3,
).map(tuple)


@given(
    users=st.lists(st.integers(0, 9), min_size=2, max_size=5),
    days=st.lists(st.integers(0, 200), min_size=5, max_size=5),
    period=st.sampled_from([MONTHLY, YEARLY]),
    reductions=REDUCTIONS,
)
def test_what_remains_and_what_was_kept_are_what_was_billed(
    users: list[int], days: list[int], period: str, reductions: tuple[Reduction, ...]
) -> None:
    """Changes one after the other, each after the bill, cost what they cost if known before."""
    end = date(2027, 1, 31)
    one = subscription(version(users=users[0], period=period), reductions=reductions)
    paid = sum(
        total(remainders.charged(one, piece, CATALOGUE))
        for piece in remainders.pieces(one, Term(FIRST, end))
    )
    for count, day in zip(users[1:], sorted(days), strict=False):
        from_day = FIRST + timedelta(days=day)
        after = replace(
            one, versions=(*one.versions, version(from_day, users=count, period=period))
        )
        for piece in remainders.pieces(one, Term(from_day, end)):
            paid -= total(remainders.charged(one, piece, CATALOGUE))
            paid += total(remainders.charged(after, piece, CATALOGUE))
        one = after
    known = [
        total(remainders.charged(one, piece, CATALOGUE))
        for piece in remainders.pieces(one, Term(FIRST, end))
    ]
    assert paid == sum(known)


@pytest.mark.parametrize("day", [date(2026, 1, 31), date(2026, 2, 27), date(2026, 2, 28)])
def test_days_of_a_trial_are_no_part_of_what_is_billed(day: date) -> None:
    one = subscription(version(anchor_day=date(2026, 2, 28)))
    (piece,) = remainders.pieces(one, Term(day, date(2026, 3, 28)))
    assert piece == Term(date(2026, 2, 28), date(2026, 3, 28))
