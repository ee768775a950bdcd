from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from provision.errors import UsageRefused
from provision.subscriptions.books import exporting, verify
from provision.subscriptions.commons import (
    barter,
    contributions,
    debts,
    hours,
    in_kind,
    local_currencies,
    reciprocity,
)
from provision.subscriptions.commons.barter import BarterOffer
from provision.subscriptions.commons.debts import Promise
from provision.subscriptions.commons.hours import HoursWorked
from provision.subscriptions.documents import allocating, open_items
from provision.subscriptions.offers import contracts
from provision.subscriptions.parties import people
from provision.subscriptions.settling import settlements
from provision.subscriptions.settling.self_billing import document_of
from tests.integration.subscriptions.settling_shop import (
    FIRST,
    LATER,
    TODAY,
    at,
    days,
    opened,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.integration.subscriptions.settling_shop import Place

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
YEAR = days(FIRST, date(2027, 1, 1))


@pytest.fixture
def shop(session: Session) -> Place:
    place = opened(session)
    place.contract(mode=contracts.MECENAT)
    return place


def test_a_promised_debt_is_never_paid_above_what_is_owed(shop: Place) -> None:
    promise = Promise("Les fondateurs", "Le premier outil", 100_000, "AG 2026-02")
    debt = debts.record(shop.session, shop.supporter, promise, TODAY)
    assert shop.balance(shop.supporter, "801") == -100_000
    assert shop.balance(shop.supporter, "604") == 0  # a promise is no expense yet
    debts.pay(shop.session, debt, 60_000, at())
    assert debts.owed(shop.session, debt) == 40_000
    with pytest.raises(UsageRefused, match=r"€400.01 cannot be paid: €400.00 is owed"):
        debts.pay(shop.session, debt, 40_001, at())
    with pytest.raises(UsageRefused, match="cannot be paid"):
        debts.pay(shop.session, debt, 0, at())
    debts.pay(shop.session, debt, 40_000, at())
    assert shop.balance(shop.supporter, "801") == shop.balance(shop.supporter, "809") == 0
    assert shop.balance(shop.supporter, "604") == 100_000
    shop.whole()


@pytest.mark.parametrize("kind", ["fec", "hledger", "beancount", "csv"])
def test_books_with_all_that_is_no_euro_are_exported(shop: Place, kind: str) -> None:
    sold = shop.sell()
    promise = Promise("Les fondateurs", "Le premier outil", 10_000, "AG 2026-02")
    debts.pay(shop.session, debts.record(shop.session, shop.seller, promise, TODAY), 6_000, at())
    hours.set_value(shop.session, shop.seller, 3000, FIRST)
    hours.give(shop.session, shop.seller, HoursWorked(shop.party, 60, "Atelier"), at())
    hours.pay(shop.session, sold, 60, at())
    year = exporting.Period(FIRST, date(2026, 12, 31))
    files = exporting.export(shop.session, shop.seller, year, kind, "fr")
    assert all(files.values())
    assert kind != "fec" or exporting.problems(files, year) == []


def test_verify_sees_a_promise_that_was_changed(shop: Place, session: Session) -> None:
    promise = Promise("Les fondateurs", "Le premier outil", 1000, "AG 2026-02")
    debts.record(session, shop.supporter, promise, TODAY)
    session.execute(text("DROP TRIGGER promised_debt_no_update"))
    session.execute(text("UPDATE promised_debt SET units = 2000"))
    assert "books differ by 1000 cents" in verify.verify(session)[0].what


def test_a_gift_is_in_both_books_and_owed_by_nobody(shop: Place) -> None:
    contributions.give(shop.session, shop.seller, shop.supporter, 5000, at())
    contributions.give(shop.session, shop.seller, shop.supporter, 5000, at())
    assert shop.balance(shop.seller, "6238") == 10_000
    assert shop.balance(shop.supporter, "7542") == -10_000
    assert shop.balance(shop.supporter, "512") == 10_000
    shop.whole()
    with pytest.raises(UsageRefused, match="as a patron"):
        contributions.give(shop.session, shop.supporter, shop.seller, 1, at())
    with pytest.raises(UsageRefused, match="gift of nothing"):
        contributions.give(shop.session, shop.seller, shop.supporter, 0, at())


def test_a_statement_compares_what_was_meant_with_what_was_given(shop: Place) -> None:
    shop.sell()  # 17.00 without VAT on the first of January
    shop.sell(TODAY)
    terms = (FIRST, "Contrat de 2026")
    reciprocity.add(shop.session, shop.seller, shop.supporter, 300, terms)
    reciprocity.add(shop.session, shop.seller, shop.supporter, 1000, (TODAY, "Avenant"))
    contributions.give(shop.session, shop.seller, shop.supporter, 100, at())
    found = reciprocity.statement(shop.session, shop.seller, shop.supporter, YEAR)
    assert (found.revenue, found.meant, found.given) == (3400, 51 + 170, 100)
    before = reciprocity.statement(shop.session, shop.seller, shop.supporter, days(FIRST, TODAY))
    assert (before.revenue, before.meant, before.given) == (1700, 51, 0)
    with pytest.raises(UsageRefused, match="have a contract from 2026-01-01 already"):
        reciprocity.add(shop.session, shop.seller, shop.supporter, 1, terms)


@pytest.mark.parametrize("points", [-1, 10_001])
def test_a_rate_of_reciprocity_lies_between_nothing_and_all(shop: Place, points: int) -> None:
    with pytest.raises(UsageRefused, match="is no rate"):
        reciprocity.add(shop.session, shop.seller, shop.supporter, points, (FIRST, "x"))


def test_hours_are_in_the_books_as_hours_alone(shop: Place) -> None:
    given = HoursWorked(shop.party, 5400, "Atelier du samedi")
    one = hours.give(shop.session, shop.supporter, given, at())
    assert shop.balance(shop.supporter, "864", "HOUR") == 5400
    assert shop.balance(shop.supporter, "875", "HOUR") == -5400
    assert shop.balance(shop.supporter, "864") == 0
    assert hours.value(shop.session, one) is None
    hours.set_value(shop.session, shop.supporter, 3500, FIRST)
    hours.set_value(shop.session, shop.supporter, 4500, date(2026, 2, 6))
    assert hours.value(shop.session, one) == 5250
    assert shop.balance(shop.supporter, "864") == 0
    assert [row.number for row in hours.of(shop.session, shop.supporter)] == [1]
    shop.whole()


def test_hours_pay_what_they_are_taken_for_but_never_lines_in_euros_alone(shop: Place) -> None:
    sold = shop.sell()
    with pytest.raises(UsageRefused, match="Nobody said what an hour is taken for"):
        hours.pay(shop.session, sold, 1200, at())
    hours.set_value(shop.session, shop.seller, 3500, FIRST)
    assert hours.pay(shop.session, sold, 1200, at()) == 1167  # a third of 35 euros, half up
    assert shop.balance(shop.seller, "604", "HOUR") == 1200
    assert shop.balance(shop.seller, "809", "HOUR") == -1200
    assert shop.balance(shop.seller, "604") == 1167
    assert open_items.left_on(shop.session, sold) == 2040 - 1167
    with pytest.raises(UsageRefused, match=r"can take €6.33 in hours, no more"):
        hours.pay(shop.session, sold, 1200, at())
    for seconds in (0, -60):
        with pytest.raises(UsageRefused, match="no more"):
            hours.pay(shop.session, sold, seconds, at())
    shop.whole()


def test_local_currencies_hours_and_barter_share_what_may_be_paid_so(shop: Place) -> None:
    sold = shop.sell()
    hours.set_value(shop.session, shop.seller, 3000, FIRST)
    rollon = local_currencies.add(shop.session, "MLCROLLON", "Rollon", shop.supporter)
    local_currencies.pay(shop.session, sold, rollon, 1000, at())
    hours.pay(shop.session, sold, 720, at())
    assert in_kind.payable(shop.session, sold) == 200
    agreed = barter.agree(shop.session, shop.seller, BarterOffer(shop.party, "Miel", 9, 201), TODAY)
    with pytest.raises(UsageRefused, match=r"can take €2.00 in Miel, no more"):
        barter.deliver(shop.session, agreed, sold, 1, at())
    shop.whole()


@pytest.mark.parametrize("units", [2999, 4501])
def test_an_hour_is_taken_for_what_commons_pay(shop: Place, units: int) -> None:
    with pytest.raises(UsageRefused, match="An hour is not taken for"):
        hours.set_value(shop.session, shop.supporter, units, FIRST)


def test_nobody_gives_no_time_or_a_year_at_once(shop: Place) -> None:
    for seconds in (0, -60, 366 * 86_400):
        with pytest.raises(UsageRefused, match="cannot be given at once"):
            hours.give(shop.session, shop.supporter, HoursWorked("", seconds, "x"), at())


def test_a_local_currency_pays_one_for_one_but_never_lines_in_euros_alone(shop: Place) -> None:
    sold = shop.sell()
    rollon = local_currencies.add(shop.session, "MLCROLLON", "Rollon", shop.supporter)
    assert (sold.gross, in_kind.payable(shop.session, sold)) == (2040, 1800)
    with pytest.raises(UsageRefused, match=r"can take €18.00 in Rollon, no more"):
        local_currencies.pay(shop.session, sold, rollon, 1801, at())
    local_currencies.pay(shop.session, sold, rollon, 1000, at())
    assert in_kind.payable(shop.session, sold) == 800
    local_currencies.pay(shop.session, sold, rollon, 800, at())
    with pytest.raises(UsageRefused, match="no more"):
        local_currencies.pay(shop.session, sold, rollon, 1, at())
    assert shop.balance(shop.seller, "5302") == 1800
    assert shop.balance(shop.seller, "5302", "MLCROLLON") == 1800
    assert shop.balance(shop.seller, "809", "MLCROLLON") == -1800
    assert open_items.left_on(shop.session, sold) == 240
    shop.whole()


def test_what_euros_paid_first_leaves_less_for_a_local_currency(shop: Place) -> None:
    sold = shop.sell()
    allocating.allocate(shop.session, sold, 1900, "payment", (1, FIRST))
    assert in_kind.payable(shop.session, sold) == 140


@pytest.mark.parametrize("code", ["ROLLON", "MLC", "MLCrollon", "MLCTOOLONGTOBEONE", "EUR"])
def test_codes_of_local_currencies_are_told_apart(shop: Place, code: str) -> None:
    with pytest.raises(UsageRefused, match="is not the code of a local currency"):
        local_currencies.add(shop.session, code, "Rollon", shop.supporter)


def test_barter_pays_the_agreed_value_of_what_came(shop: Place) -> None:
    sold = shop.sell()
    offer = BarterOffer(shop.party, "Pots de miel", 3, 650)
    agreed = barter.agree(shop.session, shop.seller, offer, TODAY)
    assert barter.deliver(shop.session, agreed, sold, 2, at()) == 1300
    assert (barter.left(shop.session, agreed), shop.balance(shop.seller, "604")) == (1, 1300)
    assert open_items.left_on(shop.session, sold) == 740
    with pytest.raises(UsageRefused, match="2 pieces cannot come: 1 are left"):
        barter.deliver(shop.session, agreed, sold, 2, at())
    shop.whole()


def test_barter_is_between_the_two_of_the_invoice_and_after_the_agreement(shop: Place) -> None:
    sold = shop.sell()
    other = barter.agree(shop.session, shop.seller, BarterOffer("x", "Miel", 1, 100), TODAY)
    with pytest.raises(UsageRefused, match="is not between the two"):
        barter.deliver(shop.session, other, sold, 1, at())
    agreed = barter.agree(shop.session, shop.seller, BarterOffer(shop.party, "Miel", 9, 900), TODAY)
    with pytest.raises(UsageRefused, match="is of 2026-02-05"):
        barter.deliver(shop.session, agreed, sold, 1, at(LATER))
    with pytest.raises(UsageRefused, match=r"can take €18.00 in Miel, no more"):
        barter.deliver(shop.session, agreed, sold, 3, at())
    with pytest.raises(UsageRefused, match="agreement of nothing"):
        barter.agree(shop.session, shop.seller, BarterOffer(shop.party, "Miel", 0, 900), TODAY)


def test_what_organisations_owe_each_other_is_not_paid_in_kind(session: Session) -> None:
    shop = opened(session)
    shop.contract()
    shop.mandate()
    shop.sell()
    made = settlements.make(session, shop.seller, shop.supporter, LATER, TODAY)
    assert made is not None
    owed = document_of(session, made)
    rollon = local_currencies.add(session, "MLCROLLON", "Rollon", shop.supporter)
    with pytest.raises(UsageRefused, match="is not an invoice to a subscriber"):
        local_currencies.pay(session, owed, rollon, 100, at())
    agreed = barter.agree(session, shop.supporter, BarterOffer(owed.party, "Miel", 1, 100), TODAY)
    with pytest.raises(UsageRefused, match="is not an invoice to a subscriber"):
        barter.deliver(session, agreed, owed, 1, at())


def test_the_books_know_references_where_there_are_some(shop: Place) -> None:
    assert people.party(shop.session, "Jeanne@exemple.test") == shop.party
    number = people.subscriber_named(shop.session, "jeanne@exemple.test").id
    assert people.party(shop.session, str(number)) == shop.party
    assert people.party(shop.session, "boutique LIBRE") == f"organisation-{shop.seller.id}"
    assert people.party(shop.session, "Les fondateurs") == "Les fondateurs"
    with pytest.raises(UsageRefused, match="Nobody here has this"):
        people.party(shop.session, "nobody@exemple.test")


@pytest.mark.parametrize("who", ["nobody@exemple.test", "@", "999"])
def test_one_sentence_says_that_nobody_is_called_so_and_does_not_repeat_it(
    shop: Place, who: str
) -> None:
    for ask in (people.party, people.subscriber_named, people.reference_named):
        with pytest.raises(UsageRefused) as refused:
            ask(shop.session, who)
        assert refused.value.message == "Nobody here has this e-mail address or number"
