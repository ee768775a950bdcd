from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.days import ONE_DAY
from provision.errors import UsageRefused
from provision.money import apportion, euros
from provision.subscriptions.books import vat_due, verify
from provision.subscriptions.ledger import posting
from provision.subscriptions.ledger.journal import Entry, Line
from provision.subscriptions.parties import profiles
from provision.subscriptions.payments import losses, paying, returns
from provision.subscriptions.payments.returns import CameBack
from provision.subscriptions.selling import credit_notes
from provision.subscriptions.selling.credit_notes import What
from provision.workflows import reconciling
from tests.integration.subscriptions.conftest import START, newcomer
from tests.integration.subscriptions.paying_shop import (
    COLLECT_ON,
    TOLD,
    Said,
    open_till,
)

if TYPE_CHECKING:
    from provision.subscriptions.books.vat_due import TaxDue, VatStatement
    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.paying_shop import Till

FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
FEBRUARY, MARCH = date(2026, 2, 1), date(2026, 3, 1)


@pytest.fixture
def till(shop: Shop) -> Till:
    """Jeanne and Luc owe 10 euros each, of which 1.67 are VAT."""
    made = open_till(shop, "liable")
    for subscriber in (shop.jeanne, newcomer(made.session, "Luc")):
        made.shop.subscribe(subscriber)
    shop.bill(START + ONE_DAY)
    return made


def stated(till: Till, first: date = FIRST, last: date = LAST) -> VatStatement:
    found = vat_due.statement(till.session, till.seller, first, last)
    assert found.unexplained == 0
    return found


def row(till: Till, first: date = FIRST, last: date = LAST) -> TaxDue:
    (found,) = stated(till, first, last).rows
    assert (found.category, found.rate) == ("S", 2000)
    return found


def pays(till: Till, units: int, on: date = COLLECT_ON) -> None:
    """Money comes in for the first invoice that is open."""
    (movement,) = till.bank(Said(units), on=on)
    paying.pay(till.session, movement, till.invoices()[:1], on)


def test_what_is_not_paid_waits(till: Till) -> None:
    assert vars(row(till)) == {
        "category": "S",
        "rate": 2000,
        "abroad": "",
        "invoiced_net": 1666,
        "invoiced_vat": 334,
        "paid": 0,
        "due": 0,
        "lost": 0,
        "waiting_before": 0,
        "waiting": 334,
    }


def test_a_payment_in_parts_owes_the_vat_of_the_invoice_to_the_cent(till: Till) -> None:
    parts = [(333, date(2026, 2, 10)), (333, date(2026, 3, 10)), (334, date(2026, 4, 10))]
    for units, on in parts:
        pays(till, units, on)
    months = [row(till, on.replace(day=1), on.replace(day=28)) for _units, on in parts]
    assert [(one.paid, one.due, one.base) for one in months] == [
        (333, 56, 277),
        (333, 55, 278),
        (334, 56, 278),
    ]
    assert [one.waiting for one in months] == [278, 223, 167]
    assert row(till).due == 167


def test_a_return_takes_its_vat_back_in_its_own_month(till: Till) -> None:
    till.mandate(till.shop.jeanne)
    till.collect()
    till.bank(Said(1000, end_to_end="F2026-1-1"))
    reconciling.accept_certain(till.session, till.seller, COLLECT_ON, TOLD)
    (back,) = till.bank(Said(-1000), on=MARCH)
    returns.take_back(till.session, back, [CameBack("F2026-1-1", 1000)], (MARCH, TOLD))
    assert row(till, FEBRUARY, date(2026, 2, 28)).due == 167
    assert row(till, MARCH).due == -167
    assert (row(till).paid, row(till).due, row(till).waiting) == (0, 0, 334)


def test_a_credit_that_is_set_against_its_invoice_owes_nothing(till: Till) -> None:
    jeanne = till.invoices()[0]
    credit_notes.credit(till.session, jeanne.number, What(units=400), "Geste", COLLECT_ON)
    found = row(till)
    assert (found.invoiced_vat, found.paid, found.due, found.waiting) == (334 - 67, 0, 0, 267)
    pays(till, 600)
    assert (row(till).paid, row(till).due, row(till).waiting) == (600, 100, 167)


def test_a_credit_that_is_paid_back_lowers_what_is_due(till: Till) -> None:
    jeanne = till.invoices()[0]
    pays(till, 1000)
    credit_notes.credit(till.session, jeanne.number, What(), "Erreur", COLLECT_ON)
    assert (row(till).due, row(till).waiting) == (167, 0)
    (out,) = till.bank(Said(-1000), on=MARCH)
    note = next(one for one in till.invoices() if one.kind == "credit")
    paying.refund(till.session, out, note, MARCH)
    assert (row(till, MARCH).due, row(till).due, row(till).waiting) == (-167, 0, 167)


def test_what_is_lost_is_never_due(till: Till) -> None:
    pays(till, 500)
    profile = profiles.needed(till.session, till.seller, MARCH)
    jeanne = till.invoices()[0]
    loss = losses.loss_of(jeanne, profile, duplicate_sent=False)
    losses.write_off(till.session, jeanne, loss, (MARCH, "Introuvable"))
    found = row(till)
    assert found.due + found.lost == 167
    assert (found.lost, found.paid, found.waiting) == (loss.vat_back, 500, 167)
    assert verify.verify(till.session) == []


def test_with_the_option_for_debits_it_is_due_with_the_invoice(shop: Shop) -> None:
    till = open_till(shop, "liable", vat_on_debits=True)
    till.shop.subscribe(shop.jeanne)
    shop.bill(START + ONE_DAY)
    assert (row(till).due, row(till).waiting, row(till).paid) == (167, 0, 0)
    pays(till, 1000, MARCH)
    assert (row(till, MARCH).due, row(till, MARCH).paid) == (0, 1000)


def test_who_is_not_liable_sees_what_was_paid_and_owes_nothing(shop: Shop) -> None:
    till = open_till(shop)
    till.shop.subscribe(shop.jeanne)
    shop.bill(START + ONE_DAY)
    pays(till, 1000)
    (found,) = stated(till).rows
    assert (found.rate, found.invoiced_net, found.paid, found.due) == (0, 1000, 1000, 0)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_vat_that_no_document_explains_is_seen(till: Till) -> None:
    lines = (Line("44571", euros(-1)), Line("706", euros(1)))
    entry = Entry(till.seller.id, COLLECT_ON, "Essai", "essai", lines)
    posting.post(till.session, entry, COLLECT_ON)
    found = vat_due.statement(till.session, till.seller, FIRST, LAST)
    assert found.unexplained == 1


def test_a_period_ends_after_it_begins(till: Till) -> None:
    with pytest.raises(UsageRefused, match="is before"):
        stated(till, LAST, FIRST)


@given(
    weights=st.lists(st.integers(0, 10**6), min_size=1, max_size=5),
    cuts=st.lists(st.integers(0, 5 * 10**6), max_size=5),
)
def test_however_it_is_paid_each_part_adds_up_to_its_vat(
    weights: list[int], cuts: list[int]
) -> None:
    whole = sum(weights)
    steps = [0, *sorted(min(cut, whole) for cut in cuts), whole]
    states = [apportion(weights, step) for step in steps]
    if whole:
        assert list(states[-1]) == weights
    for step, state in zip(steps, states, strict=True):
        assert sum(state) == step
