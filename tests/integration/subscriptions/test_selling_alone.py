"""A contract of one party: an association, or a shop, that sells alone; and its end by a change."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from provision.errors import UsageRefused
from provision.subscriptions.books import verify
from provision.subscriptions.documents.models import Invoice, LineShare
from provision.subscriptions.ledger import posting
from provision.subscriptions.offers import contractfile, contracts
from provision.subscriptions.offers.contracts import Share
from provision.subscriptions.reports import gather_lives, gather_scope
from provision.subscriptions.reports.gather_scope import Scope
from provision.subscriptions.selling import deposits, opening
from provision.subscriptions.selling.changes import Change, change
from provision.subscriptions.settling import owing
from tests.integration.subscriptions.conftest import START
from tests.integration.subscriptions.deposits_shop import counter

if TYPE_CHECKING:
    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.selling.models import Subscription
    from tests.integration.subscriptions.conftest import Shop

SWITCH = date(2026, 1, 16)


def opened(shop: Shop, seller: Organisation) -> Subscription:
    """Jeanne's subscription, sold alone since START, with its first month billed."""
    contracts.alone(shop.session, seller, START)
    sale = shop.sale(seller=seller, supporter=seller)
    subscription = opening.open_subscription(shop.session, shop.jeanne, sale, today=START)
    shop.bill(START)
    shop.session.refresh(subscription)
    return subscription


def shares(shop: Shop) -> set[tuple[int, int | None]]:
    rows = shop.session.execute(select(LineShare.beneficiary_id, LineShare.fund_id))
    return {(beneficiary, fund) for beneficiary, fund in rows}


@pytest.mark.parametrize("kind", ["association", "business"])
def test_who_sells_alone_keeps_all_and_owes_nobody(shop: Shop, kind: str) -> None:
    seller = shop.supporter if kind == "association" else shop.seller
    opened(shop, seller)
    (invoice,) = shop.session.scalars(select(Invoice))
    assert (invoice.organisation_id, invoice.gross) == (seller.id, 10_00)
    assert shares(shop) == {(seller.id, None)}
    assert owing.pairs(shop.session) == []
    accounts = {one.account: one.amount.units for one in posting.balance(shop.session)}
    assert sorted(accounts.values()) == [-10_00, 10_00]
    assert verify.verify(shop.session) == []


def test_a_report_knows_who_sells_alone(shop: Shop) -> None:
    opened(shop, shop.supporter)
    for organisation, known in ((shop.supporter, 1), (shop.seller, 0)):
        scope = Scope(date(2026, 1, 31), organisation.id)
        parties = gather_scope.parties(shop.session, scope)
        lives, _rates = gather_lives.lives(shop.session, scope, parties)
        assert len(lives) == known
        assert all(life.seller == life.supporter == shop.supporter.name for life in lives)


def test_without_a_contract_the_sentence_says_who_would_sell_alone(shop: Shop) -> None:
    with pytest.raises(UsageRefused, match="Les Amis du Libre, alone, has no contract on"):
        contracts.contract_on(shop.session, shop.supporter, shop.supporter, START)
    contracts.alone(shop.session, shop.supporter, START)
    with pytest.raises(UsageRefused, match="Les Amis du Libre, alone, has a contract from"):
        contracts.alone(shop.session, shop.supporter, START)


@pytest.mark.parametrize("mode", contracts.MODES)
def test_one_party_cannot_share_with_itself(shop: Shop, mode: str) -> None:
    one = shop.seller
    with pytest.raises(UsageRefused):
        contracts.add(shop.session, one, one, [Share(one, 1)], terms=(mode, START))
    two = contracts.two(shop.seller, shop.supporter, (70, 30))
    with pytest.raises(UsageRefused, match="sells alone"):
        contracts.add(
            shop.session, shop.seller, shop.supporter, two, terms=(contracts.ALONE, START)
        )


@pytest.mark.parametrize(("supporter", "mode"), [(1, "resale"), (2, "alone")])
def test_the_table_itself_holds_one_party_to_the_mode(
    shop: Shop, supporter: int, mode: str
) -> None:
    words = text("INSERT INTO split_contract VALUES (99, 1, :supporter, :mode, '2026-01-01')")
    with pytest.raises(DBAPIError):
        shop.session.execute(words, {"supporter": supporter, "mode": mode})


def test_a_file_may_hold_a_contract_of_one_party(shop: Shop) -> None:
    written = contractfile.parse('[[contract]]\nseller = "Les Amis du Libre"\nfrom = 2026-01-01')
    (contract,) = contractfile.bring_in(shop.session, written)
    assert (contract.mode, contract.supporter) == (contracts.ALONE, shop.supporter)
    assert contractfile.bring_in(shop.session, written) == []
    wrong = contractfile.parse(
        '[[contract]]\nseller = "Boutique Libre"\nmode = "resale"\nfrom = 2026-01-01'
    )
    with pytest.raises(UsageRefused, match="no supporter, but shares or a mode"):
        contractfile.bring_in(shop.session, wrong)


def test_a_shop_that_finds_an_association_shares_from_a_day_on(shop: Shop) -> None:
    subscription = opened(shop, shop.seller)
    shop.contract()
    wanted = Change(supporter=shop.supporter)
    done = change(shop.session, subscription, wanted, SWITCH, today=SWITCH)
    assert done.version.contract.supporter == shop.supporter
    assert owing.pairs(shop.session) == [(shop.seller.id, shop.supporter.id)]
    owed = owing.owed(shop.session, shop.seller, shop.supporter, SWITCH)
    assert owed.units == round(10_00 * 16 / 31 * 0.3)
    assert verify.verify(shop.session) == []
    shop.bill(date(2026, 2, 1))
    assert owing.owed(shop.session, shop.seller, shop.supporter, date(2026, 2, 1)).units == (
        owed.units + 3_00
    )


def test_an_association_that_finds_a_shop_hands_its_sales_over(shop: Shop) -> None:
    subscription = opened(shop, shop.supporter)
    shop.contract()
    wanted = Change(seller=shop.seller, supporter=shop.supporter)
    change(shop.session, subscription, wanted, SWITCH, today=SWITCH)
    shop.bill(date(2026, 2, 1))
    sums = {
        (invoice.organisation_id, invoice.kind, invoice.issued_on.isoformat()): invoice.gross
        for invoice in shop.session.scalars(select(Invoice))
    }
    assert sums == {
        (shop.supporter.id, "invoice", "2026-01-01"): 10_00,
        (shop.supporter.id, "credit", "2026-01-16"): 5_16,
        (shop.seller.id, "invoice", "2026-01-16"): 5_16,
        (shop.seller.id, "invoice", "2026-02-01"): 10_00,
    }
    assert verify.verify(shop.session) == []
    for organisation in (shop.seller, shop.supporter):
        scope = Scope(date(2026, 2, 28), organisation.id)
        lives, _rates = gather_lives.lives(
            shop.session, scope, gather_scope.parties(shop.session, scope)
        )
        assert [life.seller for life in lives] == [shop.seller.name]


@pytest.mark.parametrize("days", [0, 20], ids=["a day before it", "its day"])
@pytest.mark.parametrize("paid", [True, False], ids=["paid", "not paid yet"])
def test_another_seller_cannot_deduct_what_the_first_asked_for_in_advance(
    shop: Shop, days: int, *, paid: bool
) -> None:
    till = counter(shop)
    asked_on = till.one.first_day + timedelta(days=20)
    number = till.deposit(50_00, on=asked_on)
    if paid:
        till.pay(number, 50_00, asked_on)
    contracts.alone(shop.session, shop.supporter, START)
    wanted, day = Change(seller=shop.supporter), till.one.first_day + timedelta(days=days)
    with pytest.raises(UsageRefused, match="Boutique Libre asked for the deposit F2026-000001"):
        change(shop.session, till.one, wanted, day, today=asked_on)


@pytest.mark.parametrize("mode", ["two_contracts", "licensed"])
def test_a_contract_under_which_no_deposit_is_asked_for_gets_none_from_before(
    shop: Shop, mode: str
) -> None:
    subscription = opened(shop, shop.seller)
    deposits.issue(shop.session, subscription, 50_00, "", START)
    shop.contract(mode)
    with pytest.raises(UsageRefused, match="which invoices have still to deduct"):
        change(shop.session, subscription, Change(supporter=shop.supporter), SWITCH, today=SWITCH)


def test_the_same_contract_is_no_change(shop: Shop) -> None:
    subscription = opened(shop, shop.seller)
    with pytest.raises(UsageRefused, match="Nothing would change"):
        change(shop.session, subscription, Change(seller=shop.seller), SWITCH, today=SWITCH)
