"""A subscription that changes its seller: each report has its own days, and together they are all.

Three sell alone: the business of Calvados, the association of the Orne, and a shop of the Manche.
Jeanne, Karim and Lise begin with the first two; each changes to another on some day, Lise twice.
What is billed is paid in parts, and the last of it is open.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from provision.subscriptions.books import verify
from provision.subscriptions.documents import open_items
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.offers import contracts
from provision.subscriptions.reports.recurring import monthly
from provision.subscriptions.selling import deposits, opening
from provision.subscriptions.selling.changes import Change, change
from tests.integration.subscriptions.conftest import founded, newcomer
from tests.integration.subscriptions.reporting_shop import (
    BUSINESS,
    START,
    UNTIL,
    build,
    gathered,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.orm import Session

    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.reports.facts import Facts
    from provision.subscriptions.selling.models import Subscription
    from tests.integration.subscriptions.reporting_shop import Counted

    Narrowed = Callable[["Sellers"], Iterator[Facts]]

SHOP = "Atelier du Nord"
ENDS = [date(2026, 1, 31), date(2026, 2, 28), UNTIL]


class Sellers:
    """The world above, and who sells what in it."""

    def __init__(self, session: Session) -> None:
        self.world: Counted = build(session)
        words = {"vat": "liable", "vat_id": "FR44732829320"}
        shop = founded(session, SHOP, "business", words, territory="Manche")
        self.all = [self.world.seller, self.world.supporter, shop]
        for seller in self.all:
            contracts.alone(session, seller, START)

    def sold(self, name: str, seller: Organisation, day: date) -> Subscription:
        sale = self.world.sale(seller=seller, supporter=seller)
        who = newcomer(self.world.session, name)
        return opening.open_subscription(self.world.session, who, sale, today=day)

    def moved(self, one: Subscription, seller: Organisation, day: date) -> None:
        session = self.world.session
        session.refresh(one)
        change(session, one, Change(seller=seller, supporter=seller), day, today=day)

    def pay_all_but_the_last(self) -> None:
        """Pay a third of what is open on each document, and of most of them the rest."""
        every = list(open_items.claims(self.world.session, UNTIL, Invoice.gross > 0))
        for item in every:
            (issuer,) = (each for each in self.all if each.id == item.number.organisation_id)
            part, day = item.units // 3, min(item.issued_on + timedelta(days=9), UNTIL)
            self.world.pay(item.shown, part, day, issuer=issuer)
            if item != every[-1]:
                self.world.pay(item.shown, item.units - part, UNTIL, issuer=issuer)


@pytest.fixture(params=[16, 1, 28])
def sellers(session: Session, request: pytest.FixtureRequest) -> Sellers:
    made, switch = Sellers(session), date(2026, 2, request.param)
    first, second, third = made.all
    jeanne = made.sold("Jeanne", first, START)
    karim = made.sold("Karim", second, date(2026, 1, 15))
    lise = made.sold("Lise", first, date(2026, 1, 20))
    made.world.bill(START, date(2026, 1, 15), date(2026, 1, 20), date(2026, 2, 1))
    made.moved(jeanne, third, switch)
    made.moved(karim, first, switch)
    made.moved(lise, third, switch)
    made.world.bill(date(2026, 3, 3))
    made.moved(lise, first, date(2026, 3, 10))
    made.world.bill(date(2026, 3, 31))
    made.pay_all_but_the_last()
    assert verify.verify(session) == []
    return made


def by_organisation(sellers: Sellers) -> Iterator[Facts]:
    for one in sellers.all:
        yield gathered(sellers.world, organisation_id=one.id)


def by_territory(sellers: Sellers) -> Iterator[Facts]:
    for one in sellers.all:
        yield gathered(sellers.world, territory=one.territory)


NARROWED = pytest.mark.parametrize("narrowed", [by_organisation, by_territory])


def served(facts: Facts) -> list[int]:
    """Return the twelfths of cents that all together pay a month, at the end of each month."""
    courses = monthly(facts.lives, facts.rates, ENDS).values()
    return [sum(course[at] or 0 for course in courses) for at in range(len(ENDS))]


@NARROWED
def test_narrowed_reports_add_up_to_the_whole(sellers: Sellers, narrowed: Narrowed) -> None:
    whole, parts = gathered(sellers.world), list(narrowed(sellers))
    assert whole.paid_cents
    assert whole.open_invoices
    assert sum(part.paid_cents for part in parts) == whole.paid_cents
    assert sum(one.cents for part in parts for one in part.portions) == whole.paid_cents
    still_open = [one for part in parts for one in part.open_invoices]
    assert sorted(still_open, key=repr) == sorted(whole.open_invoices, key=repr)
    assert [sum(at) for at in zip(*map(served, parts), strict=True)] == served(whole)
    received = [one for part in parts for one in part.incomes]
    assert sorted(received, key=repr) == sorted(whole.incomes, key=repr)


@NARROWED
def test_every_day_of_a_subscription_is_in_one_narrowed_report(
    sellers: Sellers, narrowed: Narrowed
) -> None:
    days = [
        (life.subscription, START + timedelta(days=at))
        for part in narrowed(sellers)
        for life in part.lives
        for at in range((UNTIL - START).days + 1)
        if life.first_day <= START + timedelta(days=at) <= (life.last_day or UNTIL)
    ]
    assert len(days) == len(set(days)) == 90 + 76 + 71


def test_who_comes_back_has_two_lives_there(session: Session) -> None:
    made = Sellers(session)
    first, _second, third = made.all
    jeanne = made.sold("Jeanne", first, START)
    made.world.bill(START)
    made.moved(jeanne, third, date(2026, 2, 1))
    made.moved(jeanne, first, date(2026, 3, 1))
    lives = gathered(made.world, organisation_id=first.id).lives
    assert [(one.first_day, one.last_day) for one in lives] == [
        (START, date(2026, 1, 31)),
        (date(2026, 3, 1), None),
    ]
    (life,) = gathered(made.world, territory="Manche").lives
    assert (life.seller, life.first_day, life.last_day) == (
        SHOP,
        date(2026, 2, 1),
        date(2026, 2, 28),
    )
    (whole,) = gathered(made.world).lives
    assert (whole.seller, whole.first_day, whole.last_day) == (BUSINESS, START, None)
    assert gathered(made.world, organisation_id=made.world.supporter.id).lives == ()


def test_a_deposit_stays_with_who_supported_when_it_was_asked_for(session: Session) -> None:
    world = build(session)
    world.contract()
    contracts.alone(session, world.seller, START)
    jeanne = world.sold("Jeanne", START)
    world.bill(START)
    session.refresh(jeanne)
    deposits.issue(session, jeanne, 500, "", date(2026, 1, 5))
    alone = Change(seller=world.seller, supporter=world.seller)
    change(session, jeanne, alone, date(2026, 2, 1), today=date(2026, 1, 31))
    deposits.issue(session, jeanne, 700, "", date(2026, 2, 5))
    whose = (world.supporter, world.seller)
    supporter, seller = (opens(gathered(world, organisation_id=one.id)) for one in whose)
    assert supporter == [500, 1_200]
    assert seller == opens(gathered(world, territory="Calvados")) == [500, 700, 1_200]
    assert opens(gathered(world, territory="Orne")) == []


def opens(facts: Facts) -> list[int]:
    return sorted(one.cents_open for one in facts.open_invoices)
