"""Debits that come back when what they had paid too much was refunded: owed again, once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from provision.subscriptions.books import vat_due, verify
from provision.subscriptions.ledger import chart, posting
from provision.subscriptions.ledger.journal import Entry
from provision.subscriptions.parties import people
from provision.subscriptions.payments import accounts, paying, returns
from provision.subscriptions.payments.booking import line
from provision.subscriptions.payments.returns import CameBack
from provision.subscriptions.selling import credit_notes
from provision.subscriptions.selling.credit_notes import What
from provision.workflows import reconciling
from tests.integration.subscriptions.conftest import START
from tests.integration.subscriptions.paying_shop import COLLECT_ON, TOLD, Said, open_till

if TYPE_CHECKING:
    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.paying_shop import Till

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def till(shop: Shop) -> Till:
    """Jeanne owes 10 euros, and gave a mandate."""
    made = open_till(shop)
    made.shop.subscribe(shop.jeanne)
    made.mandate(shop.jeanne)
    shop.bill(START + timedelta(days=1))
    return made


def test_a_debit_that_comes_back_after_its_overpayment_was_refunded_is_owed_again(
    till: Till,
) -> None:
    till.collect()
    till.bank(Said(1000, text="F2026-000001"), Said(1000, text="x", end_to_end="F2026-1-1"))
    (transfer, _debit) = reconciling.propose(till.session, till.seller)
    paying.pay(till.session, transfer.row, till.invoices(), COLLECT_ON)
    reconciling.accept_certain(till.session, till.seller, COLLECT_ON, TOLD)
    (account,) = accounts.everyone(till.session, till.seller.id)
    assert (account.owes, account.credit, account.balance) == (0, 1000, -1000)
    (out,) = till.bank(Said(-1000, text="trop perçu"))
    party = people.reference(till.session, till.shop.jeanne.id)
    paying.refund_credit(till.session, out, party, COLLECT_ON)
    (row,) = till.bank(Said(-1000, text="rejet"))
    returns.take_back(till.session, row, [CameBack("F2026-1-1", 1000, "MD06")], (COLLECT_ON, TOLD))
    assert [(one.shown, one.units) for one in till.invoices()] == [("F2026-000001", 1000)]
    (account,) = accounts.everyone(till.session, till.seller.id)
    assert (account.customer, account.owes, account.balance) == ("jeanne@exemple.test", 1000, 1000)
    assert till.accounts() == {"411": 1000, "706": -1000}
    assert verify.verify(till.session) == []
    (again,) = till.bank(Said(1000, text="F2026-000001, encore"))
    paying.pay(till.session, again, till.invoices(), COLLECT_ON)
    assert till.accounts() == {"512": 1000, "706": -1000}
    assert verify.verify(till.session) == []


def test_what_was_credited_refunded_and_then_came_back_is_owed_with_its_vat_once(
    shop: Shop,
) -> None:
    """Credited before the debit was paid, the rest refunded, and then the whole debit came back."""
    till = open_till(shop, "liable", vat_id="FR44732829320")
    till.shop.subscribe(shop.jeanne)
    till.mandate(shop.jeanne)
    shop.bill(START + timedelta(days=1))
    till.collect()
    number = till.invoices()[0].number
    credit_notes.credit(till.session, number, What(700), "trop", COLLECT_ON)
    till.bank(Said(1000, end_to_end="F2026-1-1"))
    reconciling.accept_certain(till.session, till.seller, COLLECT_ON, TOLD)
    assert till.accounts()["4197"] == -700
    (out,) = till.bank(Said(-700, text="A2026-000001"))
    party = people.reference(till.session, shop.jeanne.id)
    paying.refund_credit(till.session, out, party, COLLECT_ON)
    due = vat_due.statement(till.session, till.seller, START, COLLECT_ON)
    assert [(one.due, one.invoiced_vat) for one in due.rows] == [(50, 50)]
    (row,) = till.bank(Said(-1000, text="rejet"))
    returns.take_back(till.session, row, [CameBack("F2026-1-1", 1000, "MD06")], (COLLECT_ON, TOLD))
    assert [one.units for one in till.invoices()] == [1000]
    due = vat_due.statement(till.session, till.seller, START, COLLECT_ON)
    assert [(one.due, one.waiting) for one in due.rows] == [(0, 50)]
    assert due.unexplained == 0
    (again,) = till.bank(Said(1000, text="F2026-000001"))
    paying.pay(till.session, again, till.invoices(), COLLECT_ON)
    due = vat_due.statement(till.session, till.seller, START, COLLECT_ON)
    assert [(one.due, one.waiting) for one in due.rows] == [(50, 0)]
    assert verify.verify(till.session) == []


@only_sqlite
def test_a_customer_who_has_too_much_is_found(till: Till) -> None:
    till.collect()
    party = people.reference(till.session, till.shop.jeanne.id)
    lines = (line(chart.CUSTOMER_CREDIT, 500, party), line(chart.BANK, -500))
    entry = Entry(till.seller.id, COLLECT_ON, "à la main", "by-hand", lines)
    posting.post(till.session, entry, COLLECT_ON)
    assert "no document asks for them" in str(verify.verify(till.session)[0].what)
