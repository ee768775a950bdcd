from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from provision.errors import UsageRefused
from provision.subscriptions.books import verify
from provision.subscriptions.documents import allocating, describing, open_items
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.documents.models import Allocation, Invoice, LineShare, same_document
from provision.subscriptions.offers import contracts
from provision.subscriptions.selling import charges, credit_notes
from provision.subscriptions.selling.changes import Change, change
from provision.subscriptions.selling.credit_notes import What
from tests.integration.subscriptions.changes_shop import (
    bring_plans,
    charged_in_all,
    lines,
)
from tests.integration.subscriptions.conftest import profile

if TYPE_CHECKING:
    from provision.subscriptions.selling.models import Subscription
    from tests.integration.subscriptions.conftest import Shop

# On both databases: test_changing_terms.py
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
FIRST, TODAY = date(2026, 1, 31), date(2026, 6, 1)


def sold(shop: Shop, mode: str = "resale", vat: str = "liable") -> tuple[Subscription, Number]:
    """A subscription of two lines, billed for one term, and the number of the seller's invoice."""
    shop.contract(mode)
    describing.describe(shop.session, shop.seller, profile("B", vat), date(2026, 1, 2))
    one = shop.subscribe(shop.jeanne, FIRST, plan=bring_plans(shop)["team"], users=4)
    return one, shop.issue(one, FIRST, TODAY)[0]


def credit(shop: Shop, number: Number, what: What) -> Number:
    return credit_notes.credit(shop.session, number, what, "panne", TODAY)


def invoice(shop: Shop, number: Number) -> Invoice:
    return shop.session.get_one(Invoice, tuple(number.columns.values()))


@pytest.mark.parametrize("mode", contracts.MODES)
def test_a_whole_credit_gives_every_share_back(shop: Shop, mode: str) -> None:
    one, number = sold(shop, mode)
    for each in shop.session.scalars(select(Invoice)).all():
        credit(shop, allocating.number_of(each), What())
    assert charged_in_all(shop, one) == 0
    assert charges.left(shop.session, invoice(shop, number)) == (0, 0)
    sums: dict[int, int] = {}
    for share, kind in shop.session.execute(
        select(LineShare, Invoice.kind).join(Invoice, same_document(Invoice, LineShare))
    ):
        sign = 1 if kind == "invoice" else -1
        sums[share.beneficiary_id] = sums.get(share.beneficiary_id, 0) + sign * share.units
    assert set(sums.values()) == {0}
    assert verify.verify(shop.session) == []


def test_a_credit_is_set_against_the_open_invoice(shop: Shop) -> None:
    _one, number = sold(shop)
    made = credit(shop, number, What(units=500))
    assert open_items.left_on(shop.session, invoice(shop, number)) == 1632 - 500
    assert open_items.left_on(shop.session, invoice(shop, made)) == 0
    assert verify.verify(shop.session) == []


def test_a_credit_of_a_paid_invoice_stays_open_to_be_refunded(shop: Shop) -> None:
    """Of 16.32, 15.00 were paid: 1.32 of the credit is set against it, and 3.68 are refunded."""
    _one, number = sold(shop)
    paid = {**number.columns, "position": 0, "kind": "payment", "allocated_on": TODAY}
    shop.session.add(Allocation(**paid, units=1500, entry_number=1))
    shop.session.flush()
    made = credit(shop, number, What(units=500))
    assert open_items.left_on(shop.session, invoice(shop, number)) == 0
    assert open_items.left_on(shop.session, invoice(shop, made)) == 368


def test_an_amount_is_spread_over_the_lines_without_days(shop: Shop) -> None:
    _one, number = sold(shop)
    credit(shop, number, What(units=1000))
    found = lines(shop, "credit")
    assert [(component, starts) for component, starts, _ends, _net in found] == [
        ("bundle", None),
        ("user", None),
    ]
    assert sum(net for *_rest, net in found) == 833
    assert verify.verify(shop.session) == []


def test_parts_and_then_the_rest_are_the_whole(shop: Shop) -> None:
    one, number = sold(shop)
    for units in (1, 333, 700):
        credit(shop, number, What(units=units))
    credit(shop, number, What())
    assert charged_in_all(shop, one) == 0
    assert verify.verify(shop.session) == []
    with pytest.raises(UsageRefused, match=r"€0\.00 of this invoice can still be credited"):
        credit(shop, number, What())


def test_a_line_is_given_back_once(shop: Shop) -> None:
    _one, number = sold(shop)
    credit(shop, number, What(lines=(2,)))
    assert lines(shop, "credit") == [("user", "2026-01-31", "2026-02-27", 332)]
    with pytest.raises(UsageRefused, match="given back already"):
        credit(shop, number, What(lines=(2,)))
    assert verify.verify(shop.session) == []


@pytest.mark.parametrize(
    ("what", "why"),
    [
        (What(units=1633), "€16.32 of this invoice can still be credited"),
        (What(units=0), "can still be credited"),
        (What(units=-1), "can still be credited"),
        (What(units=10**18), "can still be credited"),
        (What(lines=(3,)), "does not have each of these lines once"),
        (What(lines=(1, 1)), "does not have each of these lines once"),
    ],
)
def test_more_than_there_is_cannot_be_credited(shop: Shop, what: What, why: str) -> None:
    _one, number = sold(shop)
    with pytest.raises(UsageRefused, match=why):
        credit(shop, number, what)
    assert lines(shop, "credit") == []


def test_a_credit_note_and_an_unknown_invoice_cannot_be_credited(shop: Shop) -> None:
    _one, number = sold(shop)
    made = credit(shop, number, What(units=1))
    with pytest.raises(UsageRefused, match="A2026-000001 is a credit note"):
        credit(shop, made, What())
    with pytest.raises(UsageRefused, match="There is no invoice F2026-000099"):
        credit(shop, Number(shop.seller.id, "F2026", 99), What())


def test_an_invoice_whose_days_were_changed_later_waits_for_the_later_one(shop: Shop) -> None:
    """The first invoice cannot give back days that the second one gave back already."""
    one, number = sold(shop)
    made = change(shop.session, one, Change(gib=400, users=2), date(2026, 2, 14), today=TODAY)
    (later,) = made.documents
    with pytest.raises(UsageRefused, match="changed by a later invoice"):
        credit(shop, number, What())
    credit(shop, later, What())
    credit(shop, number, What())
    assert charged_in_all(shop, one) == 0
    assert verify.verify(shop.session) == []


def test_nothing_is_given_back_of_days_that_were_credited(shop: Shop) -> None:
    one, number = sold(shop)
    credit(shop, number, What())
    made = change(shop.session, one, Change(users=2), date(2026, 2, 14), today=TODAY)
    assert [number.series for number in made.documents] == ["F2026"]
    assert verify.verify(shop.session) == []


def test_a_clock_that_goes_back_leaves_nothing_behind(shop: Shop) -> None:
    _one, number = sold(shop)
    credit(shop, number, What(units=1))
    with shop.session.begin_nested(), pytest.raises(UsageRefused, match="is before 2026-06-01"):
        credit_notes.credit(shop.session, number, What(units=1), "panne", date(2026, 5, 31))
    assert len(lines(shop, "credit")) == 1
    assert verify.verify(shop.session) == []
