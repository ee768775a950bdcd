from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from provision.subscriptions.splits import share
from sqlalchemy import func, select

from provision.errors import PaquetError, UsageRefused
from provision.registry.models import Bundle, Order, Server
from provision.subscriptions import (
    contracts,
    ledger,
    organisations,
    planfile,
    plans,
    subscriptions,
    verify,
)
from provision.subscriptions.contracts import Shares
from provision.subscriptions.journal import LedgerRefused
from provision.subscriptions.models import LedgerTransaction, Subscription

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.integration.subscriptions.conftest import Shop

TODAY = date(2026, 3, 31)


def holds(session: Session) -> dict[tuple[int, str], int]:
    """What each account of each organisation holds, in cents."""
    return {(one.organisation_id, one.account): one.amount.units for one in ledger.balance(session)}


def ordered(shop: Shop) -> Order:
    """An order as the order workflow writes it."""
    moment = datetime(2026, 3, 31, tzinfo=UTC)
    bundle = Bundle(
        name="b12345678",
        subscriber=shop.jeanne,
        domain="jeanne.exemple.test",
        cloud="light",
        server="bundles1",
        backup_server="backup1",
        quota_bytes=1,
        dkim_selector="paquet",
        dkim_public_key="",
        created_at=moment,
    )
    wish = {"plan": "famille", "sold_by": "boutique libre", "supported_by": "Les Amis du Libre"}
    order = Order(subscriber=shop.jeanne, bundle=bundle, wish=wish, placed_at=moment)
    shop.session.add_all([Server(name="bundles1"), order])
    shop.session.flush()
    return order


def test_resale_opens_both_journals_and_they_mirror_each_other(shop: Shop) -> None:
    shop.contract("resale")
    made = subscriptions.open_subscription(shop.session, shop.jeanne, shop.sale(), today=TODAY)
    seller, supporter = shop.seller.id, shop.supporter.id
    assert holds(shop.session) == {
        (seller, "418"): 1000,
        (seller, "487"): -1000,
        (seller, "486"): 300,
        (seller, "408"): -300,
        (supporter, "418"): 300,
        (supporter, "487"): -300,
    }
    assert (made.first_day, made.state, made.price.units) == (TODAY, "active", 1000)
    assert verify.verify(shop.session) == []


@pytest.mark.parametrize("mode", ["resale", "two_contracts", "mecenat", "licensed"])
def test_a_withdrawn_subscription_leaves_nothing_owed_and_nothing_erased(
    shop: Shop, mode: str
) -> None:
    shop.contract(mode)
    kept = subscriptions.open_subscription(shop.session, shop.jeanne, shop.sale(), today=TODAY)
    before = holds(shop.session)
    made = subscriptions.open_subscription(shop.session, shop.jeanne, shop.sale(), today=TODAY)
    for _ in range(2):
        subscriptions.withdraw(shop.session, made, date(2026, 4, 2))
    assert holds(shop.session) == before
    assert (made.state, kept.state) == ("ended", "active")
    written = shop.session.scalars(select(LedgerTransaction.text)).all()
    assert {
        f"Abonnement {made.id}, première échéance",
        f"Abonnement {made.id}, commande annulée",
    } <= {*written}
    assert verify.verify(shop.session) == []


@pytest.mark.parametrize(
    ("mode", "seller_claims", "supporter_claims"),
    [("two_contracts", 700, 300), ("mecenat", 1000, 0), ("licensed", 1000, 300)],
)
def test_each_other_mode_opens_its_own_way(
    shop: Shop, mode: str, seller_claims: int, supporter_claims: int
) -> None:
    shop.contract(mode)
    subscriptions.open_subscription(shop.session, shop.jeanne, shop.sale(), today=TODAY)
    held = holds(shop.session)
    assert held[shop.seller.id, "418"] == seller_claims
    assert held.get((shop.supporter.id, "418"), 0) == supporter_claims
    assert verify.verify(shop.session) == []


def test_price_and_contract_of_the_first_day_stay(shop: Shop) -> None:
    shop.contract()
    made = subscriptions.open_subscription(shop.session, shop.jeanne, shop.sale(), today=TODAY)
    later = '[[plan.price]]\nfrom = 2026-04-01\nmonthly = "12.00"\n'
    written = planfile.parse(
        '[[plan]]\ncode = "famille"\nname = { fr = "F", en = "F" }\nusers = 5\nquota_gib = 9\n'
        + later
    )
    plans.bring_in(shop.session, written)
    contracts.add(
        shop.session,
        shop.seller,
        shop.supporter,
        Shares(50, 50),
        terms=("resale", date(2026, 4, 1)),
    )
    (found,) = subscriptions.find(shop.session, str(made.id))
    assert plans.amount(found.price).units == 1000
    assert [one.parts for one in found.contract.shares] == [30, 70]
    after = subscriptions.open_subscription(
        shop.session, shop.jeanne, shop.sale(), today=date(2026, 4, 1)
    )
    assert plans.amount(after.price).units == 1200
    assert [one.parts for one in after.contract.shares] == [50, 50]


def test_an_order_opens_one_subscription_however_often_it_is_asked(shop: Shop) -> None:
    shop.contract()
    order = ordered(shop)
    first = subscriptions.open_for_order(shop.session, order, TODAY)
    again = subscriptions.open_for_order(shop.session, order, date(2026, 5, 1))
    assert again is first
    assert first.first_day == TODAY
    assert shop.session.scalar(select(func.count()).select_from(LedgerTransaction)) == 2


def test_a_yearly_term_is_owed_whole(shop: Shop) -> None:
    shop.contract()
    yearly = shop.sale(period="yearly")
    subscriptions.open_subscription(shop.session, shop.jeanne, yearly, today=TODAY)
    assert holds(shop.session)[shop.seller.id, "487"] == -11000


def test_three_years_of_thirds_end_equal(shop: Shop) -> None:
    shop.contract(supporter=1, seller=2)
    for _month in range(36):
        subscriptions.open_subscription(shop.session, shop.jeanne, shop.sale(), today=TODAY)
    assert holds(shop.session)[shop.supporter.id, "418"] == 12000
    assert verify.verify(shop.session) == []


def test_the_association_gets_the_odd_cent(shop: Shop) -> None:
    shop.contract(supporter=1, seller=1)
    cheap = PLAN_OF_FIVE_CENTS
    plans.bring_in(shop.session, planfile.parse(cheap))
    sale = shop.sale(plan=plans.get(shop.session, "cheap"))
    subscriptions.open_subscription(shop.session, shop.jeanne, sale, today=TODAY)
    assert holds(shop.session)[shop.supporter.id, "418"] == 3


PLAN_OF_FIVE_CENTS = """
[[plan]]
code = "cheap"
name = { fr = "Cinq centimes", en = "Five cents" }
users = 1
quota_gib = 1
price = [{ from = 2026-01-01, monthly = "0.05", yearly = "0" }]
"""


def test_a_free_term_needs_no_entry(shop: Shop) -> None:
    shop.contract()
    plans.bring_in(shop.session, planfile.parse(PLAN_OF_FIVE_CENTS))
    sale = shop.sale(plan=plans.get(shop.session, "cheap"), period="yearly")
    subscriptions.open_subscription(shop.session, shop.jeanne, sale, today=TODAY)
    assert holds(shop.session) == {}
    assert verify.verify(shop.session) == []


def test_without_a_contract_nothing_is_written(shop: Shop) -> None:
    with pytest.raises(UsageRefused, match="have no contract on 2026-03-31"):
        subscriptions.open_subscription(shop.session, shop.jeanne, shop.sale(), today=TODAY)
    assert shop.session.scalars(select(Subscription)).all() == []


@pytest.mark.parametrize("day", [date(1900, 1, 1), date(9999, 12, 31)])
def test_a_first_day_of_another_century_is_refused(shop: Shop, day: date) -> None:
    shop.contract()
    with pytest.raises(PaquetError, match="cannot be the first day of a subscription"):
        subscriptions.open_subscription(shop.session, shop.jeanne, shop.sale(), today=day)


def test_before_the_first_price_nothing_is_sold(shop: Shop) -> None:
    shop.contract()
    with pytest.raises(UsageRefused, match="no monthly price on 2025-12-31"):
        subscriptions.open_subscription(
            shop.session, shop.jeanne, shop.sale(), today=date(2025, 12, 31)
        )


def test_what_is_rolled_back_leaves_nothing_half_posted(shop: Shop) -> None:
    shop.contract()
    shop.session.commit()
    subscriptions.open_subscription(shop.session, shop.jeanne, shop.sale(), today=TODAY)
    shop.session.rollback()
    assert holds(shop.session) == {}
    assert verify.verify(shop.session) == []


def test_a_split_key_is_good_for_one_amount(shop: Shop) -> None:
    shop.contract()
    made = subscriptions.open_subscription(shop.session, shop.jeanne, shop.sale(), today=TODAY)
    key = f"subscription:{made.id}:opening"
    price = plans.amount(made.price)
    again = share(shop.session, made, price, key)
    assert {owner: part.units for owner, part in again.items()} == {
        shop.supporter.id: 300,
        shop.seller.id: 700,
    }
    with pytest.raises(LedgerRefused, match="different split"):
        share(shop.session, made, price + price, key)


@pytest.mark.parametrize("wanted", ["1; DROP TABLE plan", "nobody@exemple.test", "99", "", "²"])
def test_who_never_subscribed_is_not_found(shop: Shop, wanted: str) -> None:
    with pytest.raises(UsageRefused, match="There is no subscription of"):
        subscriptions.find(shop.session, wanted)


def test_a_subscriber_is_found_by_address_whatever_the_capitals(shop: Shop) -> None:
    shop.contract()
    made = subscriptions.open_subscription(shop.session, shop.jeanne, shop.sale(), today=TODAY)
    assert subscriptions.find(shop.session, " Jeanne@Exemple.test") == [made]


def test_an_import_again_changes_nothing(shop: Shop) -> None:
    same = planfile.parse(PLAN_OF_FIVE_CENTS)
    changes = plans.bring_in(shop.session, same)
    assert Counter(change.plan for change in changes) == {"cheap": 3}
    assert plans.bring_in(shop.session, same) == []
    renamed = planfile.parse(PLAN_OF_FIVE_CENTS.replace("Five", "5"))
    assert [change.what for change in plans.bring_in(shop.session, renamed)] == ["described anew"]


def test_a_price_is_never_rewritten(shop: Shop) -> None:
    plans.bring_in(shop.session, planfile.parse(PLAN_OF_FIVE_CENTS))
    dearer = planfile.parse(PLAN_OF_FIVE_CENTS.replace("0.05", "0.06"))
    with pytest.raises(UsageRefused, match=r"has the monthly price €0\.05 from 2026-01-01 already"):
        plans.bring_in(shop.session, dearer)


def test_a_new_price_rules_from_its_own_day(shop: Shop) -> None:
    two = PLAN_OF_FIVE_CENTS.replace(
        "}]\n", '}, { from = 2027-01-01, monthly = "0.09", yearly = "0" }]\n'
    )
    plans.bring_in(shop.session, planfile.parse(two))
    plan = plans.get(shop.session, "cheap")
    assert plans.price_on(shop.session, plan, date(2026, 12, 31)).units == 5
    assert plans.price_on(shop.session, plan, date(2027, 1, 1)).units == 9
    with pytest.raises(UsageRefused, match="'weekly' is not a term"):
        plans.price_on(shop.session, plan, date(2027, 1, 1), "weekly")


def test_organisations_are_told_apart(shop: Shop) -> None:
    add = organisations.add
    with pytest.raises(UsageRefused, match="There is an organisation Boutique Libre already"):
        add(shop.session, "boutique LIBRE", "business")
    with pytest.raises(UsageRefused, match="belongs to another organisation"):
        add(shop.session, "Autre", "business", siren_typed="732829320")
    with pytest.raises(UsageRefused, match="'cooperative' is not a kind"):
        add(shop.session, "Autre", "cooperative")
    with pytest.raises(UsageRefused, match="cannot be seen"):
        add(shop.session, "Au\ntre", "business")
    with pytest.raises(UsageRefused, match="There is no organisation Personne"):
        organisations.get(shop.session, "Personne")


def test_a_contract_has_a_business_an_association_and_sound_shares(shop: Shop) -> None:
    terms = ("resale", date(2026, 1, 1))
    with pytest.raises(UsageRefused, match="Les Amis du Libre is not a business"):
        contracts.add(shop.session, shop.supporter, shop.seller, Shares(1, 1), terms=terms)
    with pytest.raises(UsageRefused, match="Boutique Libre is not an association"):
        contracts.add(shop.session, shop.seller, shop.seller, Shares(1, 1), terms=terms)
    with pytest.raises(PaquetError, match="Nobody has a share"):
        contracts.add(shop.session, shop.seller, shop.supporter, Shares(0, 0), terms=terms)
    with pytest.raises(UsageRefused, match="'theft' is not a mode"):
        shop.contract("theft")
    shop.contract()
    with pytest.raises(UsageRefused, match="have a contract from 2026-01-01 already"):
        shop.contract()
