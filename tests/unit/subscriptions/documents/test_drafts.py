from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.subscriptions.documents import drafts
from provision.subscriptions.documents.drafts import Draft, Segment
from provision.subscriptions.offers import contracts
from provision.subscriptions.offers.catalogue import Asked, Item
from provision.subscriptions.offers.sharing import Agreement, Dealer, Rule
from provision.subscriptions.offers.terms import Term
from provision.subscriptions.offers.vat import GROSS, NET, Taxation, Treatment

if TYPE_CHECKING:
    from provision.subscriptions.documents.drafts import DraftLine

SELLER, SUPPORTER = 1, 2
MARCH = Term(date(2026, 3, 1), date(2026, 4, 1))
BUNDLE = Item("bundle", "service", "Famille", 1, 1000)
WORDS = "Remise de {percent} % : {reason}"
LIABLE, OUTSIDE = Treatment("S", 2000), Treatment("E", 0)


def agreement(mode: str) -> Agreement:
    rules = (Rule(SUPPORTER, None, 30), Rule(SELLER, None, 70))
    return Agreement(5, SELLER, SUPPORTER, mode, {"": rules})


def how(organisation_id: int) -> Taxation:
    treatment = LIABLE if organisation_id == SELLER else OUTSIDE
    return Taxation(GROSS, treatment, treatment.rate)


def drafted(mode: str, *units: int) -> dict[int, tuple[DraftLine, ...]]:
    lines = [Asked(BUNDLE, one, MARCH) for one in units]
    return dict(drafts.drafted(lines, agreement(mode), Dealer(), how))


def test_a_discount_is_a_line_below_zero_with_its_reason() -> None:
    segment = Segment(MARCH, MARCH, (BUNDLE,), 1250, "bienvenue")
    found = drafts.asked([segment], WORDS)
    assert [(one.item.component, one.item.label, one.units) for one in found] == [
        ("bundle", "Famille", 1000),
        ("bundle/discount", "Remise de 12,5 % : bienvenue", -125),
    ]


def test_a_whole_discount_asks_nothing_in_all() -> None:
    found = drafts.asked([Segment(MARCH, MARCH, (BUNDLE,), 10_000, "")], WORDS)
    assert sum(one.units for one in found) == 0


def test_what_costs_nothing_has_no_line() -> None:
    cheap = Item("room", "service", "Gio", 1, 1)
    first_day = Term(MARCH.starts, MARCH.starts + timedelta(days=1))
    assert drafts.asked([Segment(MARCH, first_day, (cheap,))], WORDS) == []


@given(
    units=st.integers(0, 10**9),
    points=st.integers(0, 10_000),
    cuts=st.lists(st.dates(date(2026, 2, 20), date(2026, 4, 10)), max_size=6),
)
def test_a_term_costs_the_same_however_it_is_cut(units: int, points: int, cuts: list[date]) -> None:
    """Without a discount to the cent; with one, each cut may round it by half a cent."""
    item = Item("bundle", "service", "Famille", 1, units)
    parts = list(drafts.segment_bounds(MARCH, cuts))
    assert (parts[0].starts, parts[-1].until) == (MARCH.starts, MARCH.until)
    segments = [Segment(MARCH, part, (item,), points) for part in parts]
    found = drafts.asked(segments, WORDS)
    assert sum(one.units for one in found if one.item == item) == units
    whole = sum(one.units for one in drafts.asked([Segment(MARCH, MARCH, (item,), points)], WORDS))
    assert abs(sum(one.units for one in found) - whole) <= len(parts)


def test_with_resale_the_seller_sells_all_and_its_net_is_shared() -> None:
    ((issuer, (line,)),) = drafted(contracts.RESALE, 1000).items()
    assert (issuer, line.net, line.vat) == (SELLER, 833, 167)
    assert [(rule.organisation_id, units) for rule, units in line.shares] == [
        (SUPPORTER, 250),
        (SELLER, 583),
    ]


def test_under_two_contracts_each_sells_its_part_with_its_own_vat() -> None:
    found = drafted(contracts.TWO_CONTRACTS, 1000)
    assert [(line.net, line.vat) for line in found[SELLER]] == [(583, 117)]
    assert [(line.net, line.vat) for line in found[SUPPORTER]] == [(300, 0)]


@pytest.mark.parametrize("mode", contracts.MODES)
@given(units=st.lists(st.integers(-(10**6), 10**6).filter(bool), min_size=1, max_size=8))
def test_lines_add_up_to_what_is_asked_and_shares_to_their_line(
    mode: str, units: list[int]
) -> None:
    found = drafted(mode, *units)
    lines = [line for of_issuer in found.values() for line in of_issuer]
    assert sum(line.net + line.vat for line in lines) == sum(units)
    for line in lines:
        assert sum(part for _rule, part in line.shares) == line.net


@pytest.mark.parametrize("mode", contracts.MODES)
def test_giving_back_is_selling_the_other_way_round(mode: str) -> None:
    dealer = Dealer()
    sums: dict[tuple[int, int], int] = {}
    for units in (1001, 333, -333, -1001):
        lines = [Asked(BUNDLE, units, MARCH)]
        for issuer, made in drafts.drafted(lines, agreement(mode), dealer, how):
            for rule, part in made[0].shares:
                place = (issuer, rule.organisation_id)
                sums[place] = sums.get(place, 0) + part
    assert set(sums.values()) == {0}


def test_a_draft_is_the_sum_of_its_lines() -> None:
    def net(_organisation_id: int) -> Taxation:
        return Taxation(NET, LIABLE, LIABLE.rate)

    lines = [Asked(BUNDLE, 1000, MARCH), Asked(BUNDLE, -250, MARCH)]
    ((issuer, made),) = drafts.drafted(lines, agreement(contracts.LICENSED), Dealer(), net)
    draft = Draft(issuer, "key", drafts.Buyer("person-x", None, None), made)
    assert (draft.net, draft.vat) == (750, 150)
