from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from provision.subscriptions.books import vat_due, verify
from provision.subscriptions.documents import describing
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.selling import deposits
from tests.integration.subscriptions.conftest import profile
from tests.integration.subscriptions.deposits_shop import FIRST, JUST_BEFORE, counter

if TYPE_CHECKING:
    from provision.subscriptions.books.vat_due import TaxDue
    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.deposits_shop import Counter

JANUARY = (date(2026, 1, 1), JUST_BEFORE)
FEBRUARY = (FIRST, date(2026, 2, 28))
MARCH = (date(2026, 3, 1), date(2026, 3, 31))
YEAR = (date(2026, 1, 1), date(2026, 12, 31))


@pytest.fixture
def till(shop: Shop) -> Counter:
    return counter(shop)


def stated(till: Counter, period: tuple[date, date]) -> TaxDue:
    found = vat_due.statement(till.session, till.shop.seller, *period)
    assert found.unexplained == 0
    (row,) = found.rows
    return row


def test_vat_of_a_deposit_is_due_when_it_is_paid_and_counts_once(till: Counter) -> None:
    number = till.deposit(600, on=JUST_BEFORE)
    till.pay(number, 600, on=JUST_BEFORE)
    january = stated(till, JANUARY)
    assert (january.paid, january.due, january.waiting) == (600, 100, 0)
    till.bill(FIRST)
    february = stated(till, FEBRUARY)
    assert (february.paid, february.due, february.waiting) == (0, 0, 67)
    till.pay(Number(number.organisation_id, number.series, number.number + 1), 400, on=MARCH[0])
    march = stated(till, MARCH)
    assert (march.paid, march.due, march.waiting) == (400, 67, 0)
    year = stated(till, YEAR)
    assert (year.invoiced_net, year.invoiced_vat, year.paid, year.due) == (833, 167, 1000, 167)
    assert verify.verify(till.session) == []


def test_a_seller_who_chose_debits_owes_it_with_the_documents_and_once(till: Counter) -> None:
    words = {"vat_id": "FR44732829320", "vat_on_debits": True}
    on_debits = profile(till.shop.seller.name, "liable", **words)
    describing.describe(till.session, till.shop.seller, on_debits, FIRST)
    till.paid(600)
    till.bill(FIRST)
    row = stated(till, FEBRUARY)
    assert (row.invoiced_vat, row.due, row.waiting) == (167, 167, 0)


def test_vat_of_what_is_left_of_a_deposit_waits_to_be_paid_back(till: Counter) -> None:
    till.paid(3000)
    till.bill(FIRST)
    deposits.refund(till.session, till.one, FIRST)
    row = stated(till, FEBRUARY)
    assert (row.invoiced_vat, row.due, row.waiting) == (167, 500, -333)
