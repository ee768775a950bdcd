from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from provision.errors import PaquetError, UsageRefused
from provision.money import parse
from provision.subscriptions.books import verify
from provision.subscriptions.documents import open_items
from provision.subscriptions.ledger import closings
from provision.subscriptions.parties import people, profiles
from provision.subscriptions.payments import booking, losses, movements, paying, receiving
from provision.subscriptions.payments.models import BankMovement
from provision.subscriptions.payments.paying import Cash
from provision.subscriptions.payments.receiving import Source
from provision.workflows import reconciling
from tests.integration.subscriptions.conftest import START, newcomer
from tests.integration.subscriptions.paying_shop import (
    COLLECT_ON,
    TODAY,
    TOLD,
    Said,
    camt,
    open_till,
)

if TYPE_CHECKING:
    from provision.subscriptions.documents.open_items import OpenItem
    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.paying_shop import Till

# What depends on the database is tested on both by test_paying_by_debit.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def till(shop: Shop) -> Till:
    """Jeanne owes 10 euros for each of two subscriptions, and Luc 10 euros."""
    made = open_till(shop)
    for subscriber in (shop.jeanne, shop.jeanne, newcomer(made.session, "Luc")):
        made.shop.subscribe(subscriber)
    shop.bill(START + timedelta(days=1))
    return made


def invoice(till: Till, number: int) -> OpenItem:
    return open_items.find(till.session, till.seller.id, f"F2026-{number:06d}")


def test_a_transfer_that_names_an_invoice_pays_it(till: Till) -> None:
    till.bank(Said(1000, text="VIR JEANNE F2026-000001"))
    (seen,) = reconciling.propose(till.session, till.seller)
    assert seen.proposal is not None
    assert seen.proposal.certainty == "certain"
    (outcome,) = reconciling.accept_certain(till.session, till.seller, TODAY, TOLD)
    assert outcome.refused == ""
    assert invoice(till, 1).units == 0
    assert till.accounts() == {"411": 2000, "512": 1000, "706": -3000}
    assert reconciling.propose(till.session, till.seller) == []
    assert verify.verify(till.session) == []


def test_what_is_only_likely_is_shown_and_left_alone(till: Till) -> None:
    till.bank(Said(1000, name="Luc"))
    (seen,) = reconciling.propose(till.session, till.seller)
    assert seen.proposal is not None
    assert seen.proposal.certainty == "likely"
    assert reconciling.accept_certain(till.session, till.seller, TODAY, TOLD) == []
    assert till.accounts() == {"411": 3000, "706": -3000}


def test_one_movement_pays_several_invoices_and_the_rest_is_credit(till: Till) -> None:
    (row,) = till.bank(Said(2500))
    parts = paying.pay(till.session, row, [invoice(till, 1), invoice(till, 2)], TODAY)
    assert [units for _one, units in parts] == [1000, 1000]
    party = people.reference(till.session, till.shop.jeanne.id)
    assert paying.credit(till.session, till.seller.id, party) == 500
    assert till.accounts() == {"411": 1000, "4197": -500, "512": 2500, "706": -3000}
    assert verify.verify(till.session) == []


def test_a_part_is_a_part(till: Till) -> None:
    (row,) = till.bank(Said(1200))
    paying.pay(till.session, row, [invoice(till, 2), invoice(till, 1)], TODAY)
    assert (invoice(till, 1).units, invoice(till, 2).units) == (800, 0)
    assert verify.verify(till.session) == []


def test_a_payment_is_of_one_customer_and_for_what_is_open(till: Till) -> None:
    row, out = till.bank(Said(2000), Said(-500))
    one, other = invoice(till, 1), invoice(till, 3)
    with pytest.raises(UsageRefused, match="of one customer"):
        paying.pay(till.session, row, [one, other], TODAY)
    with pytest.raises(UsageRefused, match="named twice"):
        paying.pay(till.session, row, [one, one], TODAY)
    with pytest.raises(UsageRefused, match="is money out"):
        paying.pay(till.session, out, [one], TODAY)
    paying.pay(till.session, row, [one], TODAY)
    with pytest.raises(UsageRefused, match="is booked already, as payment"):
        paying.pay(till.session, row, [other], TODAY)
    with pytest.raises(UsageRefused, match="Nothing is open"):
        paying.pay(till.session, row, [invoice(till, 1)], TODAY)


def test_credit_pays_a_later_invoice_or_goes_back(till: Till) -> None:
    (row,) = till.bank(Said(2500))
    paying.pay(till.session, row, [invoice(till, 1)], TODAY)
    assert paying.use_credit(till.session, invoice(till, 2), TODAY) == 1000
    (much, fits) = till.bank(Said(-600), Said(-500))
    party = people.reference(till.session, till.shop.jeanne.id)
    with pytest.raises(UsageRefused, match=r"the customer's credit is €5\.00"):
        paying.refund_credit(till.session, much, party, TODAY)
    assert paying.refund_credit(till.session, fits, party, TODAY) == 500
    with pytest.raises(UsageRefused, match="has no credit"):
        paying.use_credit(till.session, invoice(till, 3), TODAY)
    assert till.accounts() == {"411": 1000, "512": 2000, "706": -3000}
    assert verify.verify(till.session) == []


def test_cash_is_written_down_once_per_receipt(till: Till) -> None:
    cash = Cash(parse("4,00").units, TODAY, "R-17")
    paying.take_cash(till.session, invoice(till, 1), cash, TODAY)
    assert invoice(till, 1).units == 600
    with pytest.raises(UsageRefused, match="R-17 is written down already"):
        paying.take_cash(till.session, invoice(till, 1), cash, TODAY)
    with pytest.raises(UsageRefused, match=r"€6\.00 is open"):
        paying.take_cash(till.session, invoice(till, 1), Cash(601, TODAY, "R-18"), TODAY)
    tomorrow = TODAY + timedelta(days=1)
    with pytest.raises(UsageRefused, match="is not yet"):
        paying.take_cash(till.session, invoice(till, 1), Cash(1, tomorrow, "R-19"), TODAY)
    assert till.accounts()["5301"] == 400
    assert verify.verify(till.session) == []


def test_what_nobody_can_explain_is_parked_and_explained_later(till: Till) -> None:
    (row,) = till.bank(Said(1000, text="???"))
    booking.park(till.session, row, "Nobody knows", TODAY)
    assert closings.waiting(till.session, till.seller.id, row.booked_on)["471"].units == -row.units
    assert till.accounts() == {"411": 3000, "471": -1000, "512": 1000, "706": -3000}
    assert [one.parked for one in reconciling.propose(till.session, till.seller)] == [True]
    assert verify.verify(till.session) == []
    with pytest.raises(UsageRefused, match="is parked already"):
        booking.park(till.session, row, "Still", TODAY)
    paying.pay(till.session, row, [invoice(till, 3)], TODAY)
    assert till.accounts() == {"411": 2000, "512": 1000, "706": -3000}
    assert verify.verify(till.session) == []


def test_what_is_parked_is_never_booked_by_itself(till: Till) -> None:
    (row,) = till.bank(Said(1000, text="F2026-000001"))
    booking.park(till.session, row, "Asked Jeanne", TODAY)
    assert reconciling.accept_certain(till.session, till.seller, TODAY, TOLD) == []


def test_a_fee_of_the_bank_is_a_cost(till: Till) -> None:
    (row,) = till.bank(Said(-290, text="COTISATION"))
    booking.fee(till.session, row, "Monthly", TODAY)
    assert till.accounts() == {"411": 3000, "512": -290, "627": 290, "706": -3000}
    assert verify.verify(till.session) == []


def test_a_movement_of_a_closed_month_is_entered_on_the_first_open_day(till: Till) -> None:
    (row,) = till.bank(Said(1000, text="F2026-000001"), on=START + timedelta(days=3))
    end = START + timedelta(days=30)
    closings.close(till.session, till.seller, end, today=COLLECT_ON)
    (outcome,) = reconciling.accept_certain(till.session, till.seller, COLLECT_ON, TOLD)
    assert outcome.refused == ""
    assert booking.open_day(till.session, till.seller.id, row.booked_on) == end + timedelta(days=1)
    assert verify.verify(till.session) == []


def test_a_statement_again_doubles_nothing(till: Till) -> None:
    content = camt(1, COLLECT_ON, 100_000, [Said(1000, text="one")])
    source = Source(content, "1.xml")
    first = receiving.bring_in(till.session, till.seller, source, COLLECT_ON)
    again = receiving.bring_in(till.session, till.seller, source, COLLECT_ON)
    assert (len(first.new), first.known, len(again.new), again.known) == (1, 0, 0, 1)
    assert len(reconciling.propose(till.session, till.seller)) == 1


def test_a_gap_another_account_or_a_cut_file_is_refused_whole(till: Till) -> None:
    till.bank(Said(1000))
    gap = camt(2, COLLECT_ON, 99_999, [Said(500)])
    other = camt(2, COLLECT_ON, 101_000, [Said(500)]).replace(b"FR142004", b"FR762004")
    cut = camt(2, COLLECT_ON, 101_000, [Said(500)])[:-40]
    dollars = camt(2, COLLECT_ON, 101_000, [Said(500)]).replace(b"<Ccy>EUR", b"<Ccy>USD")
    for content in (gap, other, cut, dollars):
        with pytest.raises(PaquetError):
            receiving.bring_in(till.session, till.seller, Source(content, "2.xml"), COLLECT_ON)
    assert len(movements.statements(till.session, till.seller.id)) == 1
    assert len(reconciling.propose(till.session, till.seller)) == 1


def test_an_overlap_brings_what_is_new_and_tells_what_was_there(till: Till) -> None:
    till.bank(Said(1000, text="loyer"), Said(300, text="don"))
    longer = camt(
        2,
        COLLECT_ON,
        100_000,
        [Said(1000, text="loyer"), Said(300, text="don"), Said(50, text="vente")],
    )
    source = Source(longer, "2.xml")
    received = receiving.bring_in(till.session, till.seller, source, COLLECT_ON)
    assert [one.text for one in received.overlap] == ["loyer", "don"]
    (made,) = received.new
    assert (made.opening, made.closing) == (101_300, 101_350)
    rows = [row.units for row, _parked in movements.unexplained(till.session, till.seller.id)]
    assert rows == [1000, 300, 50]


def test_a_movement_is_kept_with_all_that_the_bank_said(till: Till) -> None:
    said = Said(-1000, text="REJET", end_to_end="F2026-1-1", reason="MD06", name="Jeanne")
    (row,) = till.bank(said)
    movement = movements.read(row)
    assert (movement.reason, movement.details[0].end_to_end) == ("MD06", "F2026-1-1")
    assert movement.key == row.key
    assert json.loads(row.content)["booked_on"] == COLLECT_ON.isoformat()


def profile_of(till: Till) -> profiles.Profile:
    return profiles.needed(till.session, till.seller, TODAY)


def test_a_loss_is_654_and_the_invoice_is_no_longer_open(till: Till) -> None:
    one = invoice(till, 1)
    loss = losses.loss_of(one, profile_of(till), duplicate_sent=False)
    losses.write_off(till.session, one, loss, (TODAY, "Left no address"))
    assert till.accounts() == {"411": 2000, "654": 1000, "706": -3000}
    with pytest.raises(UsageRefused, match="Nothing is open"):
        losses.loss_of(invoice(till, 1), profile_of(till), duplicate_sent=False)
    assert verify.verify(till.session) == []


def test_a_loss_needs_a_reason_and_no_running_debit(till: Till) -> None:
    till.mandate(till.shop.jeanne)
    till.collect()
    one = invoice(till, 1)
    loss = losses.loss_of(one, profile_of(till), duplicate_sent=False)
    with pytest.raises(UsageRefused, match="has a reason"):
        losses.write_off(till.session, one, loss, (TODAY, " "))
    with pytest.raises(UsageRefused, match="is being collected"):
        losses.write_off(till.session, one, loss, (TODAY, "Left"))


@pytest.mark.parametrize(
    ("on_debits", "duplicate_sent", "vat_back"),
    [(False, False, 167), (True, False, 0), (True, True, 167)],
)
def test_vat_of_a_loss_comes_back_by_the_rule(
    shop: Shop, *, on_debits: bool, duplicate_sent: bool, vat_back: int
) -> None:
    till = open_till(shop, vat="liable", vat_on_debits=on_debits)
    till.shop.subscribe(shop.jeanne)
    shop.bill(START + timedelta(days=1))
    one = invoice(till, 1)
    loss = losses.loss_of(one, profile_of(till), duplicate_sent=duplicate_sent)
    assert (loss.units, loss.vat_back) == (1000, vat_back)
    losses.write_off(till.session, one, loss, (TODAY, "Bankrupt"))
    assert till.accounts()["654"] == 1000 - vat_back
    assert till.accounts().get("44571", 0) == vat_back - 167
    assert verify.verify(till.session) == []


def test_verify_sees_a_movement_that_the_ledger_tells_otherwise(till: Till) -> None:
    (row,) = till.bank(Said(1000, text="F2026-000001"))
    reconciling.accept_certain(till.session, till.seller, TODAY, TOLD)
    till.session.execute(text("DROP TRIGGER bank_movement_no_update"))
    till.session.execute(text("UPDATE bank_movement SET units = 999"))
    found = [one.what for one in verify.verify(till.session)]
    assert "the bank says another amount than the ledger" in found
    assert "its movements do not add up to its closing" in found
    assert till.session.get_one(BankMovement, row.id) is row
