from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from provision.subscriptions.books import cutoffs, verify
from provision.subscriptions.books.cutoffs import CutOff
from provision.subscriptions.documents.allocating import number_of
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.ledger import closings, posting
from provision.subscriptions.ledger.journal import LedgerRefused
from provision.subscriptions.selling import credit_notes, opening
from provision.subscriptions.selling.credit_notes import What
from provision.subscriptions.settling import settlements

if TYPE_CHECKING:
    from tests.integration.subscriptions.conftest import Shop

LAST_DAY, NEW_YEAR = date(2026, 12, 31), date(2027, 1, 15)


def holds(shop: Shop, day: date) -> dict[str, int]:
    sight = posting.Sight(shop.seller.id, day)
    return {one.account: one.amount.units for one in posting.balance(shop.session, sight)}


@pytest.fixture
def yearly(shop: Shop) -> Shop:
    """110.00 € for 365 days, of which the first 92 lie in the year."""
    shop.contract()
    opened = shop.subscribe(shop.jeanne, date(2026, 10, 1), period="yearly")
    assert opened.billed_to == date(2026, 10, 1)
    shop.bill(date(2026, 10, 1))
    return shop


def test_what_is_for_the_next_year_is_put_off_and_taken_back(yearly: Shop) -> None:
    later = 11000 - round(11000 * 92 / 365)
    for entered in (later, 0):
        found = cutoffs.post(yearly.session, yearly.seller, LAST_DAY, NEW_YEAR)
        assert found == CutOff(sold=entered, bought=0)
    assert holds(yearly, LAST_DAY) == {"411": 11000, "487": -later, "706": later - 11000}
    assert holds(yearly, NEW_YEAR) == {"411": 11000, "487": 0, "706": -11000}
    assert verify.verify(yearly.session) == []


def test_a_document_that_comes_after_a_cut_off_is_put_off_by_the_difference(yearly: Shop) -> None:
    cutoffs.post(yearly.session, yearly.seller, LAST_DAY, NEW_YEAR)
    before = cutoffs.find(yearly.session, yearly.seller, LAST_DAY).sold
    opening.open_subscription(
        yearly.session, yearly.jeanne, yearly.sale(period="yearly"), today=date(2026, 12, 1)
    )
    yearly.bill(date(2026, 12, 1))
    (late,) = yearly.session.scalars(select(Invoice).where(Invoice.number == 2))
    after = 11000 - round(11000 * 31 / 365)
    for entered in (after, 0):
        assert cutoffs.missing(yearly.session, yearly.seller, LAST_DAY).sold == entered
        found = cutoffs.post(yearly.session, yearly.seller, LAST_DAY, NEW_YEAR)
        assert found == CutOff(sold=entered, bought=0)
    credit_notes.credit(yearly.session, number_of(late), What(), "Erreur", LAST_DAY)
    assert cutoffs.post(yearly.session, yearly.seller, LAST_DAY, NEW_YEAR) == CutOff(-after, 0)
    assert holds(yearly, LAST_DAY) == {"411": 11000, "487": -before, "706": before - 11000}
    assert holds(yearly, NEW_YEAR) == {"411": 11000, "487": 0, "706": -11000}
    assert verify.verify(yearly.session) == []


def test_two_cut_offs_of_other_days_do_not_count_for_each_other(yearly: Shop) -> None:
    january = date(2027, 1, 31)
    for day in (LAST_DAY, january):
        entered = cutoffs.post(yearly.session, yearly.seller, day, date(2027, 2, 1))
        assert entered == cutoffs.find(yearly.session, yearly.seller, day)
    assert (
        holds(yearly, january)["487"] == -cutoffs.find(yearly.session, yearly.seller, january).sold
    )
    assert holds(yearly, date(2027, 2, 1))["487"] == 0


def test_a_share_that_was_settled_is_put_off_with_what_it_was_bought_for(yearly: Shop) -> None:
    """Thirty parts of a hundred: settled within the year they are in both books, else in none."""
    of_others = round(11000 * 0.3)
    settlements.make(yearly.session, yearly.seller, yearly.supporter, LAST_DAY, NEW_YEAR)
    assert cutoffs.find(yearly.session, yearly.seller, LAST_DAY).bought == 0
    assert cutoffs.find(yearly.session, yearly.supporter, LAST_DAY).sold == 0
    next_year = date(2027, 2, 28)
    rest = of_others - round(of_others * 151 / 365)
    assert cutoffs.find(yearly.session, yearly.seller, next_year).bought == rest
    assert cutoffs.find(yearly.session, yearly.supporter, next_year).sold == rest


def test_a_year_that_holds_all_its_days_has_nothing_to_put_off(yearly: Shop) -> None:
    assert cutoffs.find(yearly.session, yearly.seller, date(2027, 9, 30)) == CutOff(0, 0)
    assert cutoffs.find(yearly.session, yearly.seller, date(2026, 9, 30)) == CutOff(0, 0)


def test_a_closing_keeps_the_total_of_all_debits_and_nothing_is_entered_before_it(
    yearly: Shop,
) -> None:
    cutoffs.post(yearly.session, yearly.seller, LAST_DAY, NEW_YEAR)
    made = closings.close(yearly.session, yearly.seller, LAST_DAY, today=NEW_YEAR)
    assert made.debit_to_date == 11000 + cutoffs.find(yearly.session, yearly.seller, LAST_DAY).sold
    with pytest.raises(LedgerRefused, match="closed up to 2026-12-31"):
        cutoffs.post(yearly.session, yearly.seller, date(2026, 11, 30), NEW_YEAR)
    assert verify.verify(yearly.session) == []


@pytest.mark.parametrize("day", [date(2027, 1, 15), date(2027, 12, 31)])
def test_a_period_that_is_not_over_is_not_closed(yearly: Shop, day: date) -> None:
    with pytest.raises(Exception, match="is not over"):
        closings.close(yearly.session, yearly.seller, day, today=NEW_YEAR)
