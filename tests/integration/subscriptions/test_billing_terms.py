from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from datetime import date
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from provision import database
from provision.errors import PaquetError, UsageRefused
from provision.subscriptions.books import verify
from provision.subscriptions.documents import describing
from provision.subscriptions.documents.models import BillingRun, Invoice, InvoiceLine, LineShare
from provision.subscriptions.ledger import closings, posting
from provision.subscriptions.offers import contracts, planfile, plans
from provision.subscriptions.offers.models import Fund
from provision.subscriptions.parties import profiles
from provision.subscriptions.selling import billing, opening
from provision.subscriptions.selling.models import Discount
from tests.integration.subscriptions.conftest import newcomer, profile

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.integration.subscriptions.conftest import Shop

LAST_OF_JANUARY = date(2026, 1, 31)
THIRDS = """
[[plan]]
code = "thirds"
name = { fr = "Tiers", en = "Thirds" }
users = 1
quota_gib = 1
vat = "excluded"
[[plan.component]]
code = "user"
name = { fr = "Utilisateur en plus", en = "One more user" }
per = "user"
included = 1
role = "support"
[[plan.price]]
from = 2026-01-01
monthly = "10.00"
[[plan.price]]
component = "user"
from = 2026-01-01
monthly = "1.99"
"""


def holds(session: Session) -> dict[tuple[int, str], int]:
    """What each account of each organisation holds, in cents."""
    return {
        (one.organisation_id, one.account): one.amount.units for one in posting.balance(session)
    }


def subscribers(shop: Shop, count: int, day: date = LAST_OF_JANUARY) -> None:
    """Let `count` more people subscribe."""
    for number in range(count):
        person = newcomer(shop.session, f"P{number}")
        shop.subscribe(person, day)


def test_terms_keep_the_day_of_their_anchor(shop: Shop) -> None:
    shop.contract()
    shop.subscribe(shop.jeanne, LAST_OF_JANUARY)
    assert shop.bill(date(2026, 4, 29)).documents == 3
    line = InvoiceLine
    days = shop.session.execute(select(line.starts_on, line.ends_on).order_by(line.number)).all()
    assert [tuple(one) for one in days] == [
        (date(2026, 1, 31), date(2026, 2, 27)),
        (date(2026, 2, 28), date(2026, 3, 30)),
        (date(2026, 3, 31), date(2026, 4, 29)),
    ]
    assert verify.verify(shop.session) == []


def test_a_second_run_finds_nothing_to_do(shop: Shop) -> None:
    shop.contract()
    subscribers(shop, 3)
    assert shop.bill(LAST_OF_JANUARY).documents == 3
    assert shop.bill(LAST_OF_JANUARY).documents == 0
    assert shop.bill(date(2026, 2, 27)).documents == 0


def test_resale_is_sold_by_the_seller_alone(shop: Shop) -> None:
    shop.contract("resale")
    subscribers(shop, 1)
    shop.bill(LAST_OF_JANUARY)
    assert holds(shop.session) == {(shop.seller.id, "411"): 1000, (shop.seller.id, "706"): -1000}
    shares = shop.session.execute(select(LineShare.beneficiary_id, LineShare.units)).all()
    assert {tuple(one) for one in shares} == {(shop.supporter.id, 300), (shop.seller.id, 700)}


def test_under_two_contracts_each_invoices_its_own_part(shop: Shop) -> None:
    shop.contract("two_contracts")
    subscribers(shop, 2)
    shop.bill(LAST_OF_JANUARY)
    assert holds(shop.session)[shop.seller.id, "411"] == 1400
    assert holds(shop.session)[shop.supporter.id, "411"] == 600
    assert verify.verify(shop.session) == []


def test_patronage_leaves_the_sale_with_the_seller(shop: Shop) -> None:
    shop.contract("mecenat")
    subscribers(shop, 1)
    shop.bill(LAST_OF_JANUARY)
    shares = shop.session.execute(select(LineShare.beneficiary_id, LineShare.units)).all()
    assert [tuple(one) for one in shares] == [(shop.seller.id, 1000)]
    assert verify.verify(shop.session) == []


def test_three_years_of_thirds_end_equal(shop: Shop) -> None:
    shop.contract(supporter=1, seller=2)
    subscribers(shop, 1)
    assert shop.bill(date(2028, 12, 31)).documents == 36
    share = LineShare
    query = select(share.beneficiary_id, func.sum(share.units)).group_by(share.beneficiary_id)
    sums = {owner: int(units) for owner, units in shop.session.execute(query)}
    assert sums == {shop.seller.id: 24000, shop.supporter.id: 12000}
    assert verify.verify(shop.session) == []


def test_the_association_gets_the_odd_cent(shop: Shop) -> None:
    shop.contract(supporter=1, seller=1)
    cents = 'price = [{ from = 2026-01-01, monthly = "0.05" }]\n'
    head = '[[plan]]\ncode = "cheap"\nname = { fr = "C", en = "C" }\nusers = 1\nquota_gib = 1\n'
    plans.bring_in(shop.session, planfile.parse(head + cents))
    sale = shop.sale(plan=plans.get(shop.session, "cheap"))
    opening.open_subscription(shop.session, shop.jeanne, sale, today=LAST_OF_JANUARY)
    shop.bill(LAST_OF_JANUARY)
    query = select(LineShare.units).where(LineShare.beneficiary_id == shop.supporter.id)
    assert shop.session.scalar(query) == 3


def test_a_seller_that_is_liable_takes_the_vat_out_of_the_price(shop: Shop) -> None:
    shop.contract()
    describing.describe(shop.session, shop.seller, profile("B", "liable"), LAST_OF_JANUARY)
    subscribers(shop, 1)
    shop.bill(LAST_OF_JANUARY)
    seller = shop.seller.id
    assert holds(shop.session) == {
        (seller, "411"): 1000,
        (seller, "44571"): -167,
        (seller, "706"): -833,
    }


def test_prices_without_vat_get_it_on_top_line_by_line(shop: Shop) -> None:
    shop.contract()
    describing.describe(shop.session, shop.seller, profile("B", "liable"), LAST_OF_JANUARY)
    plans.bring_in(shop.session, planfile.parse(THIRDS))
    sale = shop.sale(plan=plans.get(shop.session, "thirds"), users=3)
    opening.open_subscription(shop.session, shop.jeanne, sale, today=LAST_OF_JANUARY)
    shop.bill(LAST_OF_JANUARY)
    line = InvoiceLine
    found = shop.session.execute(
        select(line.component, line.quantity, line.net, line.vat).order_by(line.line)
    ).all()
    assert [tuple(one) for one in found] == [("bundle", 1, 1000, 200), ("user", 2, 398, 80)]
    whole = shop.session.execute(select(Invoice.net, Invoice.vat, Invoice.gross)).one()
    assert tuple(whole) == (1398, 280, 1678)


def test_each_role_is_shared_by_its_own_rule_and_funds_have_their_part(shop: Shop) -> None:
    fund = Fund(name="Communs", kind="commons", custodian=shop.supporter, decider="L'assemblée")
    shop.session.add(fund)
    shares = [
        *contracts.two(shop.seller, shop.supporter, (70, 30)),
        contracts.Share(shop.supporter, 8, role="support"),
        contracts.Share(shop.supporter, 2, role="support", fund=fund),
    ]
    terms = ("resale", date(2026, 1, 1))
    contracts.add(shop.session, shop.seller, shop.supporter, shares, terms=terms)
    plans.bring_in(shop.session, planfile.parse(THIRDS))
    sale = shop.sale(plan=plans.get(shop.session, "thirds"), users=3)
    opening.open_subscription(shop.session, shop.jeanne, sale, today=LAST_OF_JANUARY)
    shop.bill(LAST_OF_JANUARY)
    share = LineShare
    found = shop.session.execute(
        select(share.line, share.beneficiary_id, share.fund_id, share.units).order_by(
            share.line, share.position
        )
    ).all()
    supporter = shop.supporter.id
    assert [tuple(one) for one in found] == [
        (1, supporter, None, 300),
        (1, shop.seller.id, None, 700),
        (2, supporter, None, 319),
        (2, supporter, fund.id, 79),
    ]
    assert verify.verify(shop.session) == []


def test_a_discount_is_a_line_of_its_own_with_its_reason(shop: Shop) -> None:
    shop.contract()
    opened = shop.subscribe(shop.jeanne, LAST_OF_JANUARY)
    shop.session.add(
        Discount(
            subscription_id=opened.id,
            first_day=LAST_OF_JANUARY,
            last_day=date(2026, 2, 27),
            basis_points=1250,
            reason="bienvenue",
        )
    )
    shop.bill(date(2026, 2, 28))
    line = InvoiceLine
    found = shop.session.execute(
        select(line.number, line.label, line.net).order_by(line.number, line.line)
    ).all()
    assert [tuple(one) for one in found] == [
        (1, "Famille", 1000),
        (1, "Remise de 12,5 % : bienvenue", -125),
        (2, "Famille", 1000),
    ]
    assert verify.verify(shop.session) == []


def test_a_free_term_needs_no_document(shop: Shop) -> None:
    shop.contract()
    free = (
        '[[plan]]\ncode = "free"\nname = { fr = "G", en = "F" }\nusers = 1\nquota_gib = 1\n'
        'price = [{ from = 2026-01-01, monthly = "0" }]\n'
    )
    plans.bring_in(shop.session, planfile.parse(free))
    sale = shop.sale(plan=plans.get(shop.session, "free"))
    opened = opening.open_subscription(shop.session, shop.jeanne, sale, today=LAST_OF_JANUARY)
    assert shop.bill(LAST_OF_JANUARY).documents == 0
    shop.session.refresh(opened)
    assert opened.billed_to == date(2026, 2, 28)


def test_nobody_bills_before_saying_who_they_are(shop: Shop) -> None:
    shop.contract()
    subscribers(shop, 1, date(2026, 1, 1))
    stranger = contracts.contract_on(shop.session, shop.seller, shop.supporter, LAST_OF_JANUARY)
    assert stranger.mode == "resale"
    with pytest.raises(UsageRefused, match="Nobody knows yet what the invoices of"):
        profiles.needed(shop.session, shop.seller, date(2025, 12, 31))


def test_a_price_that_a_discount_takes_whole_needs_no_document(shop: Shop) -> None:
    shop.contract()
    subscribers(shop, 1)
    free = shop.subscribe(shop.jeanne, LAST_OF_JANUARY)
    shop.session.add(
        Discount(
            subscription_id=free.id,
            first_day=LAST_OF_JANUARY,
            last_day=None,
            basis_points=10_000,
            reason="fondatrice",
        )
    )
    assert shop.bill(LAST_OF_JANUARY).documents == 1
    assert verify.verify(shop.session) == []


def test_a_run_that_was_overtaken_is_over_and_blocks_nobody(shop: Shop, engine: Engine) -> None:
    shop.contract()
    subscribers(shop, 2)
    shop.bill(LAST_OF_JANUARY)
    shop.session.add(BillingRun(day=date(2026, 1, 30)))
    assert shop.bill(date(2026, 2, 28)).days == [date(2026, 2, 28)]
    with Session(engine) as session:
        assert session.scalars(select(BillingRun.state).distinct()).all() == ["done"]


def test_a_subscription_ends_when_its_last_day_is_past(shop: Shop) -> None:
    shop.contract()
    opened = shop.subscribe(shop.jeanne, LAST_OF_JANUARY, period="yearly")
    shop.bill(LAST_OF_JANUARY)
    opened.last_day = date(2026, 3, 1)
    shop.bill(date(2026, 3, 1))
    shop.session.refresh(opened)
    assert opened.state == "active"
    shop.bill(date(2026, 3, 2))
    shop.session.refresh(opened)
    assert opened.state == "ended"


def test_a_profile_never_says_otherwise_what_a_document_said(shop: Shop) -> None:
    shop.contract()
    subscribers(shop, 1)
    shop.bill(LAST_OF_JANUARY)
    later = profile("Boutique Libre", "franchise")
    with pytest.raises(UsageRefused, match="has a document of 2026-01-31"):
        describing.describe(shop.session, shop.seller, later, LAST_OF_JANUARY)
    describing.describe(shop.session, shop.seller, later, date(2026, 2, 1))


def test_what_subscriptions_stand_on_is_not_imported_anew(shop: Shop) -> None:
    plans.bring_in(shop.session, planfile.parse(THIRDS))
    with pytest.raises(UsageRefused, match="is priced otherwise"):
        plans.bring_in(shop.session, planfile.parse(THIRDS.replace("excluded", "included")))


def test_a_clock_that_goes_back_stops_the_series(shop: Shop) -> None:
    shop.contract()
    subscribers(shop, 1, date(2026, 1, 1))
    shop.bill(date(2026, 2, 15))
    subscribers_before = shop.session.scalar(select(func.count()).select_from(Invoice))
    person = shop.jeanne
    shop.subscribe(person, date(2026, 1, 2))
    with pytest.raises(UsageRefused, match="2026-02-10 is before 2026-02-15"):
        shop.bill(date(2026, 2, 10))
    shop.session.expire_all()
    assert shop.session.scalar(select(func.count()).select_from(Invoice)) == subscribers_before
    assert verify.verify(shop.session) == []


def test_a_closed_period_takes_no_invoice(shop: Shop) -> None:
    shop.contract()
    subscribers(shop, 1)
    closings.close(shop.session, shop.seller, date(2026, 2, 28), today=date(2026, 3, 1))
    with pytest.raises(PaquetError, match="The books are closed up to 2026-02-28"):
        shop.bill(LAST_OF_JANUARY)


def test_two_people_who_bill_at_once_bill_each_term_once(shop: Shop, engine: Engine) -> None:
    shop.contract()
    subscribers(shop, 40)
    shop.session.commit()
    refused: list[PaquetError] = []

    def run() -> None:
        try:
            billing.bill(engine, LAST_OF_JANUARY)
        except PaquetError as busy:
            refused.append(busy)

    both = [threading.Thread(target=run) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(timeout=60)
    billing.bill(engine, LAST_OF_JANUARY)
    with Session(engine) as session:
        assert session.scalar(select(func.count()).select_from(Invoice)) == 40
        assert session.scalars(select(BillingRun.state).distinct()).all() == ["done"]
        assert verify.verify(session) == []


def _bill_until_killed(url: str, told: object) -> None:
    def tell(_line: str) -> None:
        told.set()  # type: ignore[attr-defined] # an Event of another process
        time.sleep(60)

    billing.bill(database.connect(url), LAST_OF_JANUARY, tell)


def test_a_run_that_is_killed_goes_on_to_the_same_journal(
    shop: Shop, engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next day the same command finishes the run of the day before, then its own."""
    shop.contract()
    subscribers(shop, 25)
    shop.session.commit()
    monkeypatch.setattr(billing, "PIECE", 10)
    with Session(engine) as session:
        before = verify.heads(session)
        undisturbed = _heads_of_a_whole_run(session)
    assert undisturbed != before
    context = multiprocessing.get_context("fork")
    told = context.Event()
    engine.dispose()
    killed = context.Process(target=_bill_until_killed, args=(database_url, told))
    killed.start()
    assert told.wait(timeout=60)
    os.kill(killed.pid or 0, signal.SIGKILL)
    killed.join(timeout=60)
    with Session(engine) as session:
        assert session.scalar(select(func.count()).select_from(Invoice)) == 10
    outcome = billing.bill(engine, date(2026, 2, 1))
    assert outcome.days == [LAST_OF_JANUARY, date(2026, 2, 1)]
    with Session(engine) as session:
        assert verify.heads(session) == undisturbed
        assert verify.verify(session) == []


def _heads_of_a_whole_run(session: Session) -> list[verify.Head]:
    """The seals that a run leaves which nothing disturbs; it is taken back."""
    after = 0
    while True:
        piece = billing._piece(LAST_OF_JANUARY, after, session)  # noqa: SLF001 (no commit between)
        if piece.last is None:
            break
        after = piece.last
    found = verify.heads(session)
    session.rollback()
    return found
