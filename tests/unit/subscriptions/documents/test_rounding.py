from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as some

from provision.subscriptions.documents import rounding
from provision.subscriptions.documents.drafts import Buyer, Draft, DraftLine
from provision.subscriptions.offers.catalogue import Item
from provision.subscriptions.offers.sharing import Rule
from provision.subscriptions.offers.vat import GROSS, ROUNDING, Treatment, tax

STANDARD, REDUCED, EXEMPT = Treatment("S", 2000), Treatment("S", 550), Treatment("E", 0)


def line(net: int, vat: int, treatment: Treatment = STANDARD) -> DraftLine:
    shares = ((Rule(1, None, 1), net),)
    return DraftLine(
        Item("base", "cloud", "Famille", 1, 0), None, net, vat, treatment, None, 0, shares
    )


def draft(*lines: DraftLine) -> Draft:
    return Draft(1, "key", Buyer("person-1", None, None), lines)


def at_price(gross: int) -> Draft:
    (taxed,) = tax([gross], GROSS, 2000)
    return rounding.exact(draft(line(taxed.net, taxed.vat)))


def test_a_price_that_no_base_reaches_has_a_cent_of_rounding() -> None:
    made = at_price(333)
    assert [(one.net, one.vat, one.treatment) for one in made.lines] in (
        [(277, 55, STANDARD), (1, 0, ROUNDING)],
        [(278, 56, STANDARD), (-1, 0, ROUNDING)],
    )
    assert made.net + made.vat == 333


def test_other_prices_have_none() -> None:
    with_rounding = [gross for gross in range(1, 10_000) if rounding.of(at_price(gross))]
    assert with_rounding == [gross for gross in range(1, 10_000) if gross % 6 == 3]


amounts = some.integers(-20_000, 20_000)
lines = some.builds(line, amounts, amounts, some.sampled_from([STANDARD, REDUCED, EXEMPT]))


@given(some.lists(lines, min_size=1, max_size=6))
def test_each_rate_has_the_vat_of_its_base_and_the_sum_stays(found: list[DraftLine]) -> None:
    before = draft(*found)
    after = rounding.exact(before)
    assert after.net + after.vat == before.net + before.vat
    for treatment in {one.treatment for one in after.lines}:
        alike = [one for one in after.lines if one.treatment == treatment]
        exact = Fraction(sum(one.net for one in alike) * treatment.rate, 10_000)
        assert abs(sum(one.vat for one in alike) - exact) <= Fraction(1, 2)
        assert all(sum(units for _rule, units in one.shares) == one.net for one in alike)
    assert rounding.exact(after) == after
