from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from provision.subscriptions.offers import contracts
from provision.subscriptions.offers.sharing import Agreement, Dealer, Rule, part_of

SELLER, SUPPORTER, FUND = 1, 2, 7
AMOUNTS = st.lists(st.integers(-(10**9), 10**9), max_size=20)


def agreement(mode: str = contracts.RESALE, **roles: tuple[int, int]) -> Agreement:
    """Parts of the supporter and the seller, for each role and for the others."""
    every = {"": (30, 70), **roles}
    rules: dict[str, tuple[Rule, ...]] = {
        role: (Rule(SUPPORTER, None, parts[0]), Rule(SELLER, None, parts[1]))
        for role, parts in every.items()
    }
    return Agreement(5, SELLER, SUPPORTER, mode, rules)


@given(amounts=AMOUNTS)
def test_parts_add_up_and_nobody_is_a_whole_cent_away(amounts: list[int]) -> None:
    dealer, got = Dealer(), {SELLER: 0, SUPPORTER: 0}
    for units in amounts:
        shared = dealer.deal(agreement(), "service", units)
        assert sum(part for _rule, part in shared.parts) == units
        for rule, part in shared.parts:
            assert part * units >= 0
            got[rule.organisation_id] += part
    total = sum(amounts)
    assert abs(100 * got[SUPPORTER] - 30 * total) < 100
    assert abs(100 * got[SELLER] - 70 * total) < 100


@given(amounts=AMOUNTS)
def test_giving_all_back_in_any_order_leaves_nothing(amounts: list[int]) -> None:
    dealer, got = Dealer(), {SELLER: 0, SUPPORTER: 0}
    for units in [*amounts, *sorted(-units for units in amounts)]:
        for rule, part in dealer.deal(agreement(), "service", units).parts:
            got[rule.organisation_id] += part
    assert set(got.values()) == {0}


def test_a_role_has_its_own_rule_and_its_own_cents() -> None:
    dealer = Dealer()
    shared = agreement(support=(1, 0))
    assert dealer.deal(shared, "support", 10).parts[0][1] == 10
    assert dealer.deal(shared, "service", 10).parts[0][1] == 3
    assert dealer.carried == {(5, "support"): 10, (5, ""): 10}
    assert dealer.changed == {(5, "support"), (5, "")}


def test_patronage_leaves_all_with_the_seller() -> None:
    (part,) = Dealer().deal(agreement(contracts.MECENAT), "service", 99).parts
    assert part == (Rule(SELLER, None, 1), 99)


def test_a_dealer_goes_on_where_the_last_one_stopped() -> None:
    """Of ten single cents the supporter gets three, whoever deals them."""
    carried: dict[tuple[int, str], int] = {}
    got = 0
    for _turn in range(10):
        dealer = Dealer(dict(carried))
        got += dealer.deal(agreement(), "", 1).parts[0][1]
        carried = dealer.carried
    assert got == 3


def test_the_part_of_an_organisation_holds_its_funds() -> None:
    parts = [
        (Rule(SUPPORTER, None, 1), 30),
        (Rule(SUPPORTER, FUND, 1), 5),
        (Rule(SELLER, None, 1), 65),
    ]
    assert (part_of(SUPPORTER, parts), part_of(SELLER, parts), part_of(9, parts)) == (35, 65, 0)
