from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from provision.errors import PaquetError, UsageRefused
from provision.money import euros
from provision.registry.models import Bundle, Order, Server
from provision.subscriptions.books import verify
from provision.subscriptions.offers import contracts, planfile, plans
from provision.subscriptions.parties import organisations
from provision.subscriptions.parties.models import Identity
from provision.subscriptions.selling import opening
from provision.subscriptions.selling.models import Subscription
from tests.integration.subscriptions.conftest import PLANS

if TYPE_CHECKING:
    from tests.integration.subscriptions.conftest import Shop

TODAY = date(2026, 3, 31)
CHEAP = """
[[plan]]
code = "cheap"
name = { fr = "Cinq centimes", en = "Five cents" }
users = 1
quota_gib = 1
price = [{ from = 2026-01-01, monthly = "0.05", yearly = "0" }]
"""


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


def test_a_subscription_owes_nothing_before_it_is_billed(shop: Shop) -> None:
    shop.contract()
    made = opening.open_subscription(shop.session, shop.jeanne, shop.sale(), today=TODAY)
    assert (made.first_day, made.billed_to, made.state) == (TODAY, TODAY, "active")
    assert opening.price_of(shop.session, made, TODAY) == euros(1000)
    assert verify.verify(shop.session) == []


def test_a_trial_is_free_and_terms_count_from_its_end(shop: Shop) -> None:
    shop.contract()
    shop.plan.trial_days = 30
    made = opening.open_subscription(shop.session, shop.jeanne, shop.sale(), today=TODAY)
    assert made.billed_to == date(2026, 4, 30)
    assert shop.bill(date(2026, 4, 29)).documents == 0
    assert shop.bill(date(2026, 4, 30)).documents == 1


def test_prices_and_contract_of_the_first_day_stay(shop: Shop) -> None:
    shop.contract()
    made = opening.open_subscription(shop.session, shop.jeanne, shop.sale(), today=TODAY)
    later = CHEAP.replace("cheap", "famille").replace("2026-01-01", "2026-04-01")
    plans.bring_in(shop.session, planfile.parse(later.replace('"0.05"', '"12.00"')))
    shares = contracts.two(shop.seller, shop.supporter, (50, 50))
    terms = ("resale", date(2026, 4, 1))
    contracts.add(shop.session, shop.seller, shop.supporter, shares, terms=terms)
    assert opening.price_of(shop.session, made, date(2026, 5, 1)) == euros(1000)
    assert [share.parts for share in made.versions[0].contract.shares] == [30, 70]
    april = date(2026, 4, 1)
    after = opening.open_subscription(shop.session, shop.jeanne, shop.sale(), today=april)
    assert opening.price_of(shop.session, after, april) == euros(1200)
    assert [share.parts for share in after.versions[0].contract.shares] == [50, 50]


def test_an_order_opens_one_subscription_that_waits_for_its_delivery(shop: Shop) -> None:
    shop.contract()
    order = ordered(shop)
    first = opening.open_for_order(shop.session, order, TODAY)
    assert opening.open_for_order(shop.session, order, date(2026, 5, 1)) is first
    assert first.state == "waiting"
    assert shop.bill(TODAY).documents == 0


def test_terms_count_from_the_delivery(shop: Shop) -> None:
    shop.contract()
    opened = opening.open_for_order(shop.session, ordered(shop), TODAY)
    for _again in range(2):
        opening.begin(shop.session, opened, date(2026, 4, 10))
    assert [version.from_day for version in opened.versions] == [TODAY, date(2026, 4, 10)]
    assert (opened.state, opened.billed_to) == ("active", date(2026, 4, 10))


def test_a_withdrawn_subscription_is_never_billed(shop: Shop) -> None:
    shop.contract()
    opened = opening.open_for_order(shop.session, ordered(shop), TODAY)
    opening.withdraw(shop.session, opened, TODAY)
    assert shop.bill(date(2026, 12, 31)).documents == 0
    assert opened.state == "ended"


def test_who_subscribes_is_known_to_documents_by_name_and_address(shop: Shop) -> None:
    shop.contract()
    for _twice in range(2):
        opening.open_subscription(shop.session, shop.jeanne, shop.sale(), today=TODAY)
    (known,) = shop.session.scalars(select(Identity.content)).all()
    assert "jeanne@exemple.test" in known


def test_without_a_contract_nothing_is_written(shop: Shop) -> None:
    with pytest.raises(UsageRefused, match="have no contract on 2026-03-31"):
        opening.open_subscription(shop.session, shop.jeanne, shop.sale(), today=TODAY)
    assert shop.session.scalars(select(Subscription)).all() == []


@pytest.mark.parametrize("day", [date(1900, 1, 1), date(9999, 12, 31)])
def test_a_first_day_of_another_century_is_refused(shop: Shop, day: date) -> None:
    shop.contract()
    with pytest.raises(PaquetError, match="cannot be the first day of a subscription"):
        opening.open_subscription(shop.session, shop.jeanne, shop.sale(), today=day)


def test_before_the_first_price_nothing_is_sold(shop: Shop) -> None:
    shop.contract()
    with pytest.raises(UsageRefused, match="no monthly price on 2025-12-31"):
        opening.open_subscription(shop.session, shop.jeanne, shop.sale(), today=date(2025, 12, 31))


@pytest.mark.parametrize("wanted", ["1; DROP TABLE plan", "nobody@exemple.test", "99", "", "²"])
def test_who_never_subscribed_is_not_found(shop: Shop, wanted: str) -> None:
    with pytest.raises(UsageRefused, match="There is no subscription of"):
        opening.find(shop.session, wanted)


def test_a_subscriber_is_found_by_address_whatever_the_capitals(shop: Shop) -> None:
    shop.contract()
    made = opening.open_subscription(shop.session, shop.jeanne, shop.sale(), today=TODAY)
    assert opening.find(shop.session, " Jeanne@Exemple.test") == [made]


def test_an_import_again_changes_nothing(shop: Shop) -> None:
    same = planfile.parse(CHEAP)
    changes = plans.bring_in(shop.session, same)
    assert Counter(change.plan for change in changes) == {"cheap": 3}
    assert plans.bring_in(shop.session, same) == []
    renamed = planfile.parse(CHEAP.replace("Five", "5"))
    assert [change.what for change in plans.bring_in(shop.session, renamed)] == ["described anew"]


def test_a_price_is_never_rewritten(shop: Shop) -> None:
    plans.bring_in(shop.session, planfile.parse(CHEAP))
    dearer = planfile.parse(CHEAP.replace("0.05", "0.06"))
    with pytest.raises(UsageRefused, match=r"has the monthly price €0\.05 from 2026-01-01 already"):
        plans.bring_in(shop.session, dearer)


def test_all_plans_that_cannot_be_brought_in_are_told_at_once(shop: Shop) -> None:
    plans.bring_in(shop.session, planfile.parse(CHEAP))
    shop.session.commit()
    there = len(plans.everyone(shop.session))
    other = PLANS.replace("10.00", "11.00").replace("quota_gib = 100", "quota_gib = 50")
    new = CHEAP.replace("cheap", "new")
    with pytest.raises(UsageRefused) as refused:
        plans.bring_in(shop.session, planfile.parse(CHEAP.replace("0.05", "0.06") + other + new))
    head, *mistakes = refused.value.message.splitlines()
    assert head == "3 mistakes:"
    assert [line.split()[2] for line in mistakes] == ["cheap", "famille", "famille"]
    shop.session.rollback()
    assert len(plans.everyone(shop.session)) == there


def test_a_new_price_rules_from_its_own_day(shop: Shop) -> None:
    two = CHEAP.replace("}]\n", '}, { from = 2027-01-01, monthly = "0.09", yearly = "0" }]\n')
    plans.bring_in(shop.session, planfile.parse(two))
    plan = plans.get(shop.session, "cheap")
    assert plans.prices_on(shop.session, plan, date(2026, 12, 31))["bundle"].units == 5
    assert plans.prices_on(shop.session, plan, date(2027, 1, 1))["bundle"].units == 9
    with pytest.raises(UsageRefused, match="'weekly' is not a term"):
        plans.prices_on(shop.session, plan, date(2027, 1, 1), "weekly")


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
    two = contracts.two(shop.seller, shop.supporter, (1, 1))
    with pytest.raises(UsageRefused, match="Les Amis du Libre is not a business"):
        contracts.add(shop.session, shop.supporter, shop.seller, two, terms=terms)
    with pytest.raises(UsageRefused, match="Boutique Libre is not an association"):
        contracts.add(shop.session, shop.seller, shop.seller, two, terms=terms)
    nobody = contracts.two(shop.seller, shop.supporter, (0, 0))
    with pytest.raises(PaquetError, match="Nobody has a share"):
        contracts.add(shop.session, shop.seller, shop.supporter, nobody, terms=terms)
    with pytest.raises(UsageRefused, match="'theft' is not a mode"):
        shop.contract("theft")
    shop.contract()
    with pytest.raises(UsageRefused, match="have a contract from 2026-01-01 already"):
        shop.contract()


def test_a_contract_says_how_every_role_is_shared(shop: Shop) -> None:
    only_hosting = [contracts.Share(shop.supporter, 1, role="hosting")]
    with pytest.raises(UsageRefused, match="does not say how lines of other roles are shared"):
        contracts.check_shares(only_hosting)
