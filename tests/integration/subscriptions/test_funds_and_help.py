from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from provision.errors import UsageRefused
from provision.subscriptions.books import verify
from provision.subscriptions.commons import helping
from provision.subscriptions.documents import allocating, open_items
from provision.subscriptions.offers.contracts import Share
from provision.subscriptions.settling import funds, settlements
from provision.subscriptions.settling.funds import FundWish
from tests.integration.subscriptions.settling_shop import FIRST, LATER, TODAY, at, opened

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.subscriptions.offers.models import Fund, FundDecision
    from tests.integration.subscriptions.settling_shop import Place

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def shop(session: Session) -> Place:
    return opened(session)


def filled(shop: Place, kind: str = "solidarity", *, own: bool = False) -> Fund:
    """A fund of 5.10 euros: 30 of 100 parts of one sale, settled."""
    custodian = shop.seller if own else shop.supporter
    pot = shop.fund(custodian, kind)
    shop.contract(shares=[Share(custodian, 30, fund=pot), Share(shop.seller, 70)])
    shop.sell()
    settlements.make(shop.session, shop.seller, custodian, LATER, TODAY)
    return pot


def decided(shop: Place, pot: Fund, units: int, beneficiary: str = "Framasoft") -> FundDecision:
    return funds.decide(
        shop.session, pot, FundWish("L'assemblée", "Des heures", beneficiary, units), TODAY
    )


def test_an_association_puts_its_funds_aside_as_dedicated_funds(shop: Place) -> None:
    pot = filled(shop)
    assert funds.balance(shop.session, pot) == 510
    assert shop.balance(shop.supporter, "706") == -510  # its revenue
    assert shop.balance(shop.supporter, "6895") == 510
    assert shop.balance(shop.supporter, "195") == -510
    shop.whole()


def test_a_business_holds_its_reserve_for_others_without_any_invoice(shop: Place) -> None:
    pot = filled(shop, "reserve", own=True)
    assert funds.balance(shop.session, pot) == 510
    assert shop.balance(shop.seller, "658") == 510
    assert shop.balance(shop.seller, "467") == -510
    assert shop.balance(shop.seller, "604") == 0
    shop.whole()


@pytest.mark.parametrize("name", ["Les Amis du Libre", "les amis DU libre"])
def test_the_custodian_never_decides(shop: Place, name: str) -> None:
    with pytest.raises(UsageRefused, match="keeps the fund, it does not decide"):
        funds.add(shop.session, "Pot", "commons", shop.supporter, name)
    pot = shop.fund(shop.supporter)
    with pytest.raises(UsageRefused, match="keeps the fund, it does not decide"):
        funds.decide(shop.session, pot, FundWish(name, "Rien", "x", 1), TODAY)


def test_a_fund_has_one_name_and_a_known_kind(shop: Place) -> None:
    shop.fund(shop.supporter)
    with pytest.raises(UsageRefused, match="There is a fund POT SOLIDARITY already"):
        funds.add(shop.session, "POT SOLIDARITY", "commons", shop.supporter, "L'AG")
    with pytest.raises(UsageRefused, match="'gold' is not a kind of fund"):
        funds.add(shop.session, "Pot", "gold", shop.supporter, "L'AG")
    with pytest.raises(UsageRefused, match="There is no fund Rien"):
        funds.get(shop.session, "Rien")


def test_a_payout_needs_a_decision_and_the_money(shop: Place) -> None:
    pot = filled(shop)
    one = decided(shop, pot, 600)
    with pytest.raises(UsageRefused, match=r"holds €5.10, not €6.00"):
        funds.pay(shop.session, one, 600, at())
    funds.pay(shop.session, one, 400, at())
    assert (funds.balance(shop.session, pot), funds.open_of(shop.session, one)) == (110, 200)
    with pytest.raises(UsageRefused, match=r"€2.01 cannot be paid: €2.00 is left"):
        funds.pay(shop.session, one, 201, at())
    for nothing in (0, -1):
        with pytest.raises(UsageRefused, match="cannot be paid"):
            funds.pay(shop.session, one, nothing, at())
    assert shop.balance(shop.supporter, "195") == -110
    assert shop.balance(shop.supporter, "7895") == -400
    assert shop.balance(shop.supporter, "6571") == 400
    assert shop.balance(shop.supporter, "512") == -400
    shop.whole()


def test_a_business_pays_out_without_income_or_expense(shop: Place) -> None:
    pot = filled(shop, "reserve", own=True)
    funds.pay(shop.session, decided(shop, pot, 510), 510, at())
    assert shop.balance(shop.seller, "467") == 0
    assert shop.balance(shop.seller, "512") == -510
    assert shop.balance(shop.seller, "6571") == 0
    shop.whole()


def test_nothing_is_paid_before_it_was_decided(shop: Place) -> None:
    pot = filled(shop)
    with pytest.raises(UsageRefused, match="is of 2026-02-05"):
        funds.pay(shop.session, decided(shop, pot, 100), 100, at(date(2026, 2, 4)))


def test_what_was_spent_stays_spent_and_later_shares_make_up_for_it(shop: Place) -> None:
    pot = filled(shop)
    funds.pay(shop.session, decided(shop, pot, 500), 500, at())
    shop.credit(1000, TODAY)
    settlements.make(shop.session, shop.seller, shop.supporter, TODAY, TODAY)
    assert funds.balance(shop.session, pot) == 0  # 10 of 300 could be taken back
    shop.whole()
    shop.sell(TODAY)
    settlements.make(shop.session, shop.seller, shop.supporter, TODAY, TODAY)
    assert funds.balance(shop.session, pot) == 510 - 290
    shop.whole()


def test_help_pays_a_part_of_an_invoice_of_another_through_what_they_owe(shop: Place) -> None:
    pot = filled(shop)
    (sold,) = shop.invoices()
    one = decided(shop, pot, 500, shop.party)
    helping.help_subscriber(shop.session, one, sold, 300, at())
    assert open_items.left_on(shop.session, sold) == sold.gross - 300
    assert open_items.set_so_far(shop.session, sold, "fund") == 300
    assert shop.balance(shop.seller, "411") == sold.gross - 300
    assert shop.balance(shop.seller, "467") == 300
    assert shop.balance(shop.supporter, "467") == -300
    shop.whole()
    assert helping.pass_on(shop.session, shop.supporter, shop.seller, at()) == 300
    assert shop.balance(shop.seller, "467") == shop.balance(shop.supporter, "467") == 0
    assert shop.balance(shop.supporter, "512") == -300
    shop.whole()
    with pytest.raises(UsageRefused, match="owes Boutique Libre nothing"):
        helping.pass_on(shop.session, shop.supporter, shop.seller, at())


def test_help_of_the_one_who_issued_the_invoice_needs_no_transfer(shop: Place) -> None:
    pot = filled(shop, own=True)
    (sold,) = shop.invoices()
    helping.help_subscriber(shop.session, decided(shop, pot, 510, shop.party), sold, 510, at())
    assert shop.balance(shop.seller, "411") == sold.gross - 510
    assert shop.balance(shop.seller, "467") == 0
    shop.whole()


def test_help_goes_to_whom_it_was_decided_for_by_a_solidarity_fund(shop: Place) -> None:
    pot = filled(shop)
    (sold,) = shop.invoices()
    with pytest.raises(UsageRefused, match="for somebody else"):
        helping.help_subscriber(shop.session, decided(shop, pot, 9), sold, 9, at())
    other = shop.fund(shop.supporter, "commons")
    with pytest.raises(UsageRefused, match="is a commons fund"):
        helping.help_subscriber(shop.session, decided(shop, other, 9, shop.party), sold, 9, at())


def test_help_is_not_more_than_what_is_open(shop: Place) -> None:
    pot = filled(shop)
    (sold,) = shop.invoices()
    entry = shop.paid(sold)
    allocating.allocate(shop.session, sold, sold.gross, "payment", (entry, FIRST))
    one = decided(shop, pot, 100, shop.party)
    with pytest.raises(UsageRefused, match=r"€0.00 is open on it"):
        helping.help_subscriber(shop.session, one, sold, 100, at())


def test_a_fund_of_somebody_else_stops_the_settlement(shop: Place) -> None:
    pot = shop.fund(shop.seller)
    shop.contract(shares=[Share(shop.supporter, 30, fund=pot), Share(shop.seller, 70)])
    shop.sell()
    with pytest.raises(UsageRefused, match="is kept by Boutique Libre, not by Les Amis"):
        settlements.make(shop.session, shop.seller, shop.supporter, LATER, TODAY)


def test_verify_sees_a_fund_that_was_changed(shop: Place, session: Session) -> None:
    pot = filled(shop)
    funds.pay(session, decided(shop, pot, 500), 500, at())
    session.commit()
    for wrong, what in {
        "UPDATE fund_movement SET units = -600 WHERE kind = 'payout'": "it holds -90 cents",
        "UPDATE fund_movement SET units = 400 WHERE kind = 'share'": "110 cents of its shares",
        "UPDATE fund_movement SET units = -501 WHERE number = 2": "1 cents more were paid",
        "UPDATE ledger_posting SET party = 'fund-9' WHERE account = '195'": "books differ by 10",
    }.items():
        session.execute(text(f"DROP TRIGGER {wrong.split()[1]}_no_update"))
        session.execute(text(wrong))
        assert any(what in one.what for one in verify.verify(session)), wrong
        session.rollback()
