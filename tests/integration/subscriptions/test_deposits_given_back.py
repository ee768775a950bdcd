"""What is left of a deposit pays what is still open, and nobody is closed for that amount."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from provision.shipped import share
from provision.subscriptions.books import lettering, vat_due, verify
from provision.subscriptions.documents import deducting, open_items
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.dunning import policy, reminders
from provision.subscriptions.offers import plans
from provision.subscriptions.reports import gather_shares
from provision.subscriptions.reports.gather_scope import Scope
from provision.subscriptions.selling import cancelling, credit_notes, opening
from provision.subscriptions.selling.cancelling import Cancellation
from provision.subscriptions.selling.credit_notes import What
from tests.integration.subscriptions.deposits_shop import FIRST, TOLD, counter

if TYPE_CHECKING:
    from provision.subscriptions.dunning.reminders import Reminder
    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.deposits_shop import Counter

EXAMPLE = share("templates") / "money/dunning.example.toml"
MARCH, SOON = date(2026, 3, 1), date(2026, 3, 5)
YEAR = (date(2026, 1, 1), date(2026, 12, 31))


@pytest.fixture
def till(shop: Shop) -> Counter:
    return counter(shop)


def late(till: Counter, units: int, *, deposit: int = 1000) -> None:
    """Let a deposit be paid when the invoices for February and March are there already."""
    number = till.deposit(deposit)
    till.bill(FIRST, MARCH)
    till.pay(number, units, on=SOON)


def cancel(till: Counter) -> None:
    asked = Cancellation(SOON, "moves", SOON)
    cancelling.cancel(till.session, till.one, asked, on=SOON, told=TOLD)


def opened(till: Counter) -> list[int]:
    """Return what is open on each document, in the order they were issued."""
    assert verify.verify(till.session) == []
    return [open_ for _kind, _gross, open_ in till.documents()]


@pytest.mark.parametrize(
    ("units", "left"),
    [(1000, [0, 0, 1000, 0]), (1600, [0, 0, 400, 0]), (2500, [0, 0, 0, 500])],
)
def test_what_is_given_back_pays_the_oldest_open_invoices_first(
    till: Counter, units: int, left: list[int]
) -> None:
    late(till, units, deposit=units)
    assert opened(till) == [0, 1000, 1000]
    cancel(till)
    assert opened(till) == left
    assert till.books()["4191"] == 0


def test_what_was_not_paid_of_a_deposit_pays_nothing(till: Counter) -> None:
    late(till, 300, deposit=1000)
    cancel(till)
    assert opened(till) == [0, 700, 1000, 0]


def test_a_deposit_that_is_credited_by_hand_pays_too(till: Counter) -> None:
    number = till.deposit(1000)
    till.bill(FIRST)
    till.pay(number, 1000, on=SOON)
    credit_notes.credit(till.session, number, What(), "trop tard", SOON)
    assert opened(till) == [0, 0, 0]


def test_an_invoice_of_another_subscription_is_left_open(till: Counter) -> None:
    session, shop = till.session, till.shop
    other = opening.open_subscription(
        session, shop.jeanne, shop.sale(plan=plans.get(session, "mois")), today=FIRST
    )
    late(till, 1000)
    assert opened(till) == [0, 1000, 1000, 1000, 1000]
    cancel(till)
    assert opened(till) == [0, 0, 1000, 1000, 1000, 0]
    still = select(Invoice.subscription_id).where(open_items.left() > 0)
    of_subscriptions = session.scalars(still.order_by(Invoice.subscription_id)).all()
    assert of_subscriptions == [till.one.id, other.id, other.id]


def test_the_vat_of_a_deposit_becomes_that_of_the_invoice_that_it_pays(till: Counter) -> None:
    """8.33 and 1.67 were paid once: VAT is due once, and both documents are lettered."""
    late(till, 1000)
    cancel(till)
    stated = vat_due.statement(till.session, till.shop.seller, *YEAR)
    assert (sum(row.due for row in stated.rows), stated.unexplained) == (167, 0)
    letters = lettering.letters(till.session, till.shop.seller.id, *YEAR)
    entries = dict(till.session.execute(select(Invoice.entry_number, Invoice.kind)).all())
    lettered = {code: set[str]() for code, _day in letters.values()}
    for (entry, _line), (code, _day) in letters.items():
        lettered[code].add(entries.get(entry, "cash"))
    assert list(lettered.values()) == [{"deposit", "cash"}, {"invoice", "credit"}]


def test_a_report_counts_what_a_deposit_pays_once(till: Counter) -> None:
    late(till, 2500, deposit=2500)
    cancel(till)
    assert gather_shares.paid(till.session, Scope(YEAR[1]), YEAR[0]) == 2000
    found = gather_shares.shares(till.session, Scope(YEAR[1]), YEAR[0])
    assert sum(found.values()) == 2000


def due(till: Counter, on: date) -> list[Reminder]:
    """Return what is due for invoices on a day; deposits have their own."""
    found = reminders.due(till.session, till.shop.seller, policy.read(EXAMPLE), on)
    return [one for one in found if one.document.kind == "invoice"]


def after(till: Counter, done: str) -> list[tuple[str, str]]:
    """Return what the invoice reaches after a step, and why it is held."""
    day = MARCH + timedelta(days=30)
    (one,) = due(till, day)
    reminders.reach(till.session, replace(one, step=done), "", day, TOLD)
    return [(one.step, one.held) for one in due(till, day + timedelta(days=170))]


@pytest.mark.parametrize(("done", "then"), [("formal", "suspend"), ("suspend", "close")])
def test_nobody_is_suspended_or_closed_while_a_paid_deposit_waits(
    till: Counter, done: str, then: str
) -> None:
    number = till.deposit(1000)
    till.bill(FIRST)
    till.pay(number, 1000, on=SOON)
    assert after(till, done) == [(then, reminders.DEPOSITED)]


def test_words_go_out_while_a_deposit_waits_and_nothing_waits_of_an_unpaid_one(
    till: Counter,
) -> None:
    number = till.deposit(1000)
    till.bill(FIRST)
    credit_notes.credit(till.session, till.deposit(500), What(), "annulé", FIRST)
    assert deducting.unspent(till.session, MARCH) == set()
    till.pay(number, 1, on=SOON)
    assert deducting.unspent(till.session, MARCH) == {till.one.id}
    assert after(till, "notice") == [("reminder", "")]
