from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

import pytest

from provision.errors import UsageRefused
from provision.subscriptions.books import exporting, verify
from provision.subscriptions.books.exporting import Period
from provision.subscriptions.commons import contributions
from provision.subscriptions.commons.receipts import recording
from provision.subscriptions.documents import numbering
from provision.subscriptions.ledger.journal import Moment
from provision.subscriptions.payments import awaited_money, paying
from provision.subscriptions.payments.paying import Cheque
from provision.workflows import reconciling
from tests.integration.subscriptions.conftest import START
from tests.integration.subscriptions.giving_shop import ON, TODAY, TOLD, YEAR, open_desk
from tests.integration.subscriptions.paying_shop import Said, open_till

if TYPE_CHECKING:
    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.giving_shop import Desk


@pytest.fixture
def desk(shop: Shop) -> Desk:
    return open_desk(shop)


def waits(desk: Desk) -> list[tuple[str, str, int]]:
    found = awaited_money.everything(desk.session, desk.association.id)
    return [(one.account, one.shown, one.units) for one in found]


def bank(desk: Desk, said: Said, *names: str) -> None:
    (row,) = desk.bank(said)
    awaited_money.bank(desk.session, row, names, TODAY)


def test_a_movement_that_is_a_gift_is_booked_once_as_one(desk: Desk) -> None:
    (row,) = desk.bank(Said(5_000, name="JEANNE"))
    made = desk.record(desk.gift(), row)
    assert desk.accounts() == {"512": 5_000, "7541": -5_000}
    assert desk.record(desk.gift(), row) is made
    with pytest.raises(UsageRefused, match="is booked already, as receipt"):
        desk.record(desk.gift(key="other"), row)
    assert verify.verify(desk.session) == []


def test_a_movement_of_another_amount_or_of_cash_is_no_such_gift(desk: Desk) -> None:
    (row,) = desk.bank(Said(5_000))
    with pytest.raises(UsageRefused, match=r"is €50\.00, not €60\.00"):
        desk.record(desk.gift(6_000), row)
    with pytest.raises(UsageRefused, match="is no cash"):
        desk.record(desk.gift(means="cash"), row)


def test_a_transfer_that_is_written_down_first_waits_for_the_statement(desk: Desk) -> None:
    desk.bank()
    made = desk.record(desk.gift())
    assert waits(desk) == [("580", "R2026-000001", 5_000)]
    (row,) = desk.bank(Said(5_000, name="M JEANNE", text="Don"))
    (seen,) = reconciling.propose(desk.session, desk.association)
    assert seen.proposal is not None
    assert (seen.proposal.certainty, seen.proposal.expected[0].reference) == (
        "likely",
        numbering.shown(made.series, made.number),
    )
    awaited_money.bank(desk.session, row, ["r2026-000001"], TODAY)
    assert (waits(desk), desk.accounts()) == ([], {"512": 5_000, "7541": -5_000})
    assert verify.verify(desk.session) == []


def test_a_transfer_that_names_its_receipt_is_certain(desk: Desk) -> None:
    desk.bank()
    desk.record(desk.gift())
    desk.bank(Said(5_000, text="R2026-000001"))
    (accepted,) = reconciling.accept_certain(desk.session, desk.association, TODAY, TOLD)
    assert (accepted.refused, waits(desk)) == ("", [])


def test_cheques_are_banked_together_and_to_the_cent(desk: Desk) -> None:
    desk.record(desk.gift(means="cheque"))
    desk.record(desk.fee(means="cheque"))
    assert desk.accounts()["5112"] == 7_000
    (row,) = desk.bank(Said(7_000, text="REMISE CHEQUES"))
    with pytest.raises(UsageRefused, match=r"is €70\.00, and €50\.00 are waited for"):
        awaited_money.bank(desk.session, row, ["R2026-000001"], TODAY)
    names = ["R2026-000001", "R2026-000002"]
    awaited_money.bank(desk.session, row, names, TODAY)
    assert desk.accounts() == {"512": 7_000, "7541": -5_000, "756": -2_000}
    (again,) = desk.bank(Said(7_000))
    with pytest.raises(UsageRefused, match="does not wait for the bank"):
        awaited_money.bank(desk.session, again, names, TODAY)
    assert verify.verify(desk.session) == []


def test_who_has_no_statements_says_what_went_through_the_bank(desk: Desk) -> None:
    desk.record(desk.gift(means="cheque"))
    moment = Moment(TODAY, TODAY)
    awaited_money.remit(desk.session, desk.association, ["R2026-000001"], moment)
    assert desk.accounts() == {"512": 5_000, "7541": -5_000}
    desk.cancel(recording.find(desk.session, desk.association, "R2026-000001"))
    awaited_money.remit(desk.session, desk.association, ["R2026-000001"], moment)
    assert desk.accounts() == {}
    desk.bank()
    desk.record(desk.fee(means="cheque"))
    with pytest.raises(UsageRefused, match="one will show this"):
        awaited_money.remit(desk.session, desk.association, ["R2026-000002"], moment)
    assert verify.verify(desk.session) == []


def test_a_remittance_is_of_money_and_not_of_before_it_came(desk: Desk) -> None:
    first = desk.record(desk.gift(means="cheque"))
    names = ["R2026-000001"]
    before = Moment(ON - timedelta(days=1), TODAY)
    with pytest.raises(UsageRefused, match=f"{before.on} is before {ON}"):
        awaited_money.remit(desk.session, desk.association, names, before)
    awaited_money.remit(desk.session, desk.association, names, Moment(ON, TODAY))
    desk.cancel(first)
    desk.record(desk.gift(means="cheque", key="again"))
    with pytest.raises(UsageRefused, match="comes to nothing"):
        awaited_money.remit(
            desk.session, desk.association, [*names, "R2026-000002"], Moment(TODAY, TODAY)
        )


def test_a_cheque_that_comes_back_unpaid_ends_a_cancelled_receipt(desk: Desk) -> None:
    made = desk.record(desk.gift(means="cheque"))
    bank(desk, Said(5_000), "R2026-000001")
    desk.cancel(made)
    assert waits(desk) == [("580", "R2026-000001", -5_000)]
    bank(desk, Said(-5_000, text="CHEQUE IMPAYE"), "R2026-000001")
    assert (waits(desk), desk.accounts()) == ([], {})
    assert verify.verify(desk.session) == []


def test_a_gift_between_organisations_waits_in_the_books_that_have_statements(
    desk: Desk, shop: Shop
) -> None:
    desk.bank()
    moment = Moment(ON, TODAY)
    contributions.give(desk.session, shop.seller, desk.association, 30_000, moment)
    assert desk.accounts(shop.seller) == {"6238": 30_000, "512": -30_000}
    ((account, name, units),) = waits(desk)
    assert (account, units) == ("580", 30_000)
    bank(desk, Said(30_000), name)
    assert desk.accounts() == {"512": 30_000, "7542": -30_000}
    assert verify.verify(desk.session) == []


def test_a_cheque_pays_an_invoice_and_waits_for_the_bank(shop: Shop) -> None:
    till = open_till(shop)
    till.shop.subscribe(shop.jeanne)
    shop.bill(START)
    (invoice,) = till.invoices()
    with pytest.raises(UsageRefused, match="is not the number of a cheque"):
        paying.take_cheque(till.session, invoice, Cheque(1_000, TODAY, "7 é"), TODAY)
    paying.take_cheque(till.session, invoice, Cheque(400, TODAY, "bnp-12"), TODAY)
    assert [one.units for one in till.invoices()] == [600]
    with pytest.raises(UsageRefused, match="BNP-12 is written down already"):
        paying.take_cheque(till.session, till.invoices()[0], Cheque(1, TODAY, "BNP-12"), TODAY)
    assert till.accounts()["5112"] == 400
    (row,) = till.bank(Said(400, text="REMISE"))
    assert awaited_money.names(till.session, till.seller.id, ["cheque-BNP-12"])
    awaited_money.bank(till.session, row, ["CHEQUE-bnp-12"], TODAY)
    assert "5112" not in till.accounts()
    assert verify.verify(till.session) == []


def test_the_books_are_exported_while_money_waits(desk: Desk) -> None:
    desk.record(desk.gift(means="cheque"))
    period = Period(*YEAR)
    (journal,) = exporting.export(desk.session, desk.association, period, "hledger", "fr").values()
    assert "receipt-R2026-000001" in journal.decode()


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_happens_the_books_hold_what_counts_and_the_bank_what_it_showed(
    desk: Desk, seed: int
) -> None:
    """Fees and gifts come, go to the bank and are cancelled in any order, beside a plain sum."""
    chance = Random(seed)  # noqa: S311 (no secret: the same history each time)
    means = ("cash", "cheque", "transfer")
    desk.bank()
    counted, shown_by_bank, open_receipts = 0, 0, []
    for step in range(40):
        what = chance.choice(("receive", "receive", "bank", "cancel"))
        if what == "receive":
            asked = desk.gift(chance.randint(1, 9_999), chance.choice(means), key=str(step))
            open_receipts.append(desk.record(asked))
            counted += asked.units
        elif what == "cancel" and open_receipts:
            gone = open_receipts.pop(chance.randrange(len(open_receipts)))
            desk.cancel(gone)
            counted -= gone.units
            assert all(units > 0 for account, _name, units in waits(desk) if account == "5112")
        elif what == "bank" and (waiting_now := waits(desk)):
            names = chance.sample(
                [one[1] for one in waiting_now], chance.randint(1, len(waits(desk)))
            )
            units = sum(one[2] for one in waiting_now if one[1] in names)
            if units:
                bank(desk, Said(units), *names)
                shown_by_bank += units
    held = desk.accounts()
    assert -held.get("7541", 0) == counted
    assert held.get("512", 0) == shown_by_bank
    left = sum(units for _account, _name, units in waits(desk))
    assert held.get("5301", 0) + shown_by_bank + left == counted
    assert verify.verify(desk.session) == []
