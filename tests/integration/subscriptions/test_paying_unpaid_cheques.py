"""A cheque that the bank refused, or that was typed on the wrong invoice, pays nothing any more."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from provision.days import ONE_DAY
from provision.errors import PaquetError, UsageRefused
from provision.shipped import share
from provision.subscriptions.books import vat_due, verify
from provision.subscriptions.documents import open_items
from provision.subscriptions.dunning import policy, reminders
from provision.subscriptions.ledger.journal import Moment
from provision.subscriptions.payments import awaited_money, bounced, paying
from provision.subscriptions.payments.paying import Cheque
from tests.integration.subscriptions.conftest import START
from tests.integration.subscriptions.deposits_shop import FIRST, counter
from tests.integration.subscriptions.paying_shop import COLLECT_ON, Said, open_till

if TYPE_CHECKING:
    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.paying_shop import Till

PAID_ON = COLLECT_ON - ONE_DAY
WHY = "Chèque sans provision"


@pytest.fixture
def till(shop: Shop) -> Till:
    """Jeanne paid her 10 euros, of which 1.67 are VAT, by a cheque."""
    made = open_till(shop, "liable")
    made.shop.subscribe(shop.jeanne)
    shop.bill(START + ONE_DAY)
    (invoice,) = made.invoices()
    paying.take_cheque(made.session, invoice, Cheque(1_000, PAID_ON, "12"), PAID_ON)
    assert made.invoices() == []
    return made


def undo(till: Till, *said: Said, typed: str = "12", why: str = WHY) -> int:
    """Take the cheque back, with the movement that did so where the bank said so."""
    row = till.bank(*said)[0] if said else None
    cheque = bounced.find(till.session, till.seller, typed)
    return bounced.take_back(till.session, cheque, row, why, COLLECT_ON)


def due(till: Till, day: date) -> int:
    """Return the VAT that is due of the year up to a day."""
    found = vat_due.statement(till.session, till.seller, date(2026, 1, 1), day)
    assert found.unexplained == 0
    return sum(one.due for one in found.rows)


def test_a_cheque_that_waits_is_taken_back_and_its_invoice_is_open_again(till: Till) -> None:
    assert undo(till, typed="cheque-12") == 0
    assert [one.units for one in till.invoices()] == [1_000]
    assert till.accounts() == {"411": 1_000, "706": -833, "44571": -167}
    assert awaited_money.everything(till.session, till.seller.id) == []
    assert verify.verify(till.session) == []


def test_vat_and_reminders_see_the_invoice_as_unpaid(till: Till) -> None:
    undo(till)
    assert [due(till, day) for day in (PAID_ON, COLLECT_ON)] == [167, 0]
    late = COLLECT_ON + timedelta(days=60)
    rules = policy.read(share("templates") / "money" / "dunning.example.toml")
    (reminder,) = reminders.due(till.session, till.seller, rules, late)
    assert reminder.document.units == 1_000


def test_what_the_bank_took_back_is_its_movement_with_its_fee(till: Till) -> None:
    (row,) = till.bank(Said(1_000, text="REMISE"), on=PAID_ON)
    awaited_money.bank(till.session, row, ["cheque-12"], PAID_ON)
    with pytest.raises(UsageRefused, match="a movement takes it back"):
        undo(till)
    with pytest.raises(UsageRefused, match=r"is -€9\.00, and cheque-12 was €10\.00"):
        undo(till, Said(-900))
    assert undo(till, Said(-1_250, text="CHEQUE IMPAYE")) == 250
    held = till.accounts()
    assert (held["411"], held["627"], held["512"]) == (1_000, 250, -250)
    assert "5112" not in held
    assert verify.verify(till.session) == []


def test_who_has_no_statements_takes_it_back_from_the_bank(till: Till) -> None:
    awaited_money.remit(till.session, till.seller, ["cheque-12"], Moment(PAID_ON, PAID_ON))
    assert till.accounts()["512"] == 1_000
    undo(till)
    assert till.accounts() == {"411": 1_000, "706": -833, "44571": -167}
    assert verify.verify(till.session) == []


def test_a_cheque_that_waits_has_no_movement_that_took_it_back(till: Till) -> None:
    with pytest.raises(UsageRefused, match="has not shown cheque-12 yet"):
        undo(till, Said(-1_000))


def test_no_movement_of_before_the_cheque_took_it_back(till: Till) -> None:
    (row,) = till.bank(Said(-1_000), on=PAID_ON - ONE_DAY)
    brought = till.bank(Said(1_000), on=PAID_ON)[-1]
    awaited_money.bank(till.session, brought, ["cheque-12"], PAID_ON)
    cheque = bounced.find(till.session, till.seller, "12")
    with pytest.raises(UsageRefused, match="and cheque-12 of"):
        bounced.take_back(till.session, cheque, row, WHY, COLLECT_ON)


def test_once_for_a_reason_and_only_what_is_known(till: Till) -> None:
    with pytest.raises(UsageRefused, match="No invoice of Boutique Libre was paid by cheque-13"):
        undo(till, typed="13")
    with pytest.raises(PaquetError, match="reason is empty"):
        undo(till, why=" ")
    undo(till)
    with pytest.raises(UsageRefused, match="is taken back already"):
        undo(till)
    assert [one.units for one in till.invoices()] == [1_000]


def test_a_cheque_typed_on_the_wrong_invoice_is_typed_again_with_letters(till: Till) -> None:
    undo(till, why="Saisi sur la mauvaise facture")
    (invoice,) = till.invoices()
    again = Cheque(1_000, COLLECT_ON, "12-BIS")
    paying.take_cheque(till.session, invoice, again, COLLECT_ON)
    (left,) = awaited_money.everything(till.session, till.seller.id)
    assert (left.shown, till.invoices()) == ("cheque-12-BIS", [])
    assert verify.verify(till.session) == []


def test_a_deposit_that_was_deducted_stays_so_and_its_own_invoice_is_open_again(
    shop: Shop,
) -> None:
    till = counter(shop)
    number = till.deposit(1_000)
    cheque = Cheque(1_000, FIRST, "7")
    paying.take_cheque(till.session, open_items.of(till.session, number), cheque, FIRST)
    till.bill(FIRST)
    before = till.documents()
    assert [open_units for _kind, _gross, open_units in before] == [0, 0]
    found = bounced.find(till.session, shop.seller, "7")
    bounced.take_back(till.session, found, None, WHY, FIRST)
    assert [one[2] for one in till.documents()] == [1_000, 0]
    assert verify.verify(till.session) == []
