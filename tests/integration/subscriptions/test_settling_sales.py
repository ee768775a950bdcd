from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text

from provision.errors import UsageRefused
from provision.formats.facturx import checks
from provision.formats.facturx.invoice import Kind, SelfBilling
from provision.subscriptions.books import papers, verify
from provision.subscriptions.documents import allocating, open_items
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.ledger.models import LedgerTransaction
from provision.subscriptions.offers import contracts
from provision.subscriptions.offers.contracts import Share
from provision.subscriptions.settling import mandates, owing, settlements
from provision.subscriptions.settling.self_billing import document_of
from provision.subscriptions.settling.steps import INVOICED, OWED, SETTLED, state
from tests.integration.subscriptions.settling_shop import (
    FIRST,
    LATER,
    TODAY,
    opened,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.subscriptions.documents.models import Settlement
    from tests.integration.subscriptions.settling_shop import (
        Place,
    )


pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def shop(session: Session) -> Place:
    """Resale, 70 and 30 parts; the seller is liable for VAT, the supporter is not."""
    place = opened(session)
    place.contract()
    return place


def settle(shop: Place, up_to: date = LATER) -> Settlement:
    made = settlements.make(shop.session, shop.seller, shop.supporter, up_to, TODAY)
    assert made is not None
    return made


def test_what_is_owed_is_the_sum_of_the_shares_by_role(shop: Place) -> None:
    shop.sell()
    found = owing.owed(shop.session, shop.seller, shop.supporter, LATER)
    assert {(part.mode, part.role, part.units) for part in found.parts} == {
        ("resale", "service", 360),  # 30 % of 10.00 and of 2.00
        ("resale", "support", 150),  # 30 % of 5.00
    }
    assert (found.after_entry, found.last_entry, found.units) == (0, 1, 510)


def test_a_credit_note_takes_back_what_it_shared(shop: Place) -> None:
    shop.sell()
    shop.credit(1000, LATER)
    assert owing.owed(shop.session, shop.seller, shop.supporter, LATER).units == 210


def test_the_seller_accrues_until_the_beneficiary_invoices(shop: Place) -> None:
    shop.sell()
    made = settle(shop)
    assert state(shop.session, made) == OWED
    assert shop.balance(shop.seller, "604") == 510
    assert shop.balance(shop.seller, "408") == -510
    assert shop.balance(shop.supporter, "418") == 510
    assert shop.balance(shop.supporter, "706") == -510
    shop.whole()
    number = settlements.invoice(shop.session, made, TODAY)
    assert number.shown == "F2026-000001"
    assert state(shop.session, made) == INVOICED
    assert shop.balance(shop.seller, "408") == shop.balance(shop.supporter, "418") == 0
    assert shop.balance(shop.seller, "604") == 510
    assert shop.balance(shop.seller, "401") == -510
    assert shop.balance(shop.supporter, "411") == 510
    assert shop.balance(shop.supporter, "706") == -510
    shop.whole()


def test_under_a_mandate_the_seller_makes_the_invoice_in_a_series_of_its_own(shop: Place) -> None:
    shop.mandate()
    shop.sell()
    made = settle(shop)
    document = document_of(shop.session, made)
    assert (document.kind, document.organisation_id) == ("self-billed", shop.supporter.id)
    assert allocating.number_of(document).shown == "AF2026-000001"
    assert document.party == f"organisation-{shop.seller.id}"
    (shown,) = papers.every(shop.session, select(Invoice).where(Invoice.series == "AF2026"))
    assert shown.kind == Kind.SELF_BILLED
    assert shown.terms.self_billing == SelfBilling(FIRST, 30)
    assert shown.terms.notes == ("Règlement 1-2-1, écritures 1 à 1 du vendeur",)
    checks.check(shown)
    assert state(shop.session, made) == INVOICED
    shop.whole()


@pytest.mark.parametrize("revoked_from", [date(2026, 1, 2), TODAY])
def test_a_revoked_mandate_lets_nobody_invoice(shop: Place, revoked_from: date) -> None:
    shop.mandate()
    shop.mandate(mandates.MandateWording("La présidence", revoked_from, state=mandates.REVOKED))
    shop.sell()
    assert state(shop.session, settle(shop)) == OWED


def test_a_mandate_that_the_profile_does_not_know_is_none(session: Session) -> None:
    shop = opened(session, since="")
    shop.contract()
    shop.mandate()
    assert mandates.ruling(session, shop.supporter.id, shop.seller.id, TODAY) is None


def test_a_mandate_is_never_rewritten(shop: Place) -> None:
    shop.mandate()
    with pytest.raises(UsageRefused, match="There is a mandate from 2026-01-01 already"):
        shop.mandate()


@pytest.mark.parametrize(
    ("regimes", "cost", "deducted", "gross"),
    [
        (("liable", "liable"), 510, 102, 612),
        (("franchise", "liable"), 510 + 85, 0, 595),  # a seller without VAT deducts none
        (("liable", "outside_scope"), 510, 0, 510),
    ],
)
def test_vat_is_that_of_the_beneficiary_and_deducted_by_who_is_liable(
    session: Session, regimes: tuple[str, str], cost: int, deducted: int, gross: int
) -> None:
    shop = opened(session, regimes)
    shop.contract()
    shop.mandate()
    shop.sell()
    net = owing.owed(session, shop.seller, shop.supporter, LATER).units
    settle(shop)
    vat = gross - 510 if regimes[0] == "liable" else net // 5
    assert shop.balance(shop.seller, "44566") == deducted
    assert shop.balance(shop.supporter, "44571") == -vat
    assert -shop.balance(shop.seller, "401") == net + vat
    assert shop.balance(shop.seller, "604") == (cost if regimes[0] == "liable" else net + vat)
    shop.whole()


def test_nothing_sold_makes_no_settlement(shop: Place) -> None:
    assert settlements.make(shop.session, shop.seller, shop.supporter, LATER, TODAY) is None


def test_nothing_is_ever_settled_twice(shop: Place) -> None:
    shop.sell()
    assert settle(shop).units == 510
    assert settlements.make(shop.session, shop.seller, shop.supporter, LATER, TODAY) is None
    shop.sell(TODAY)
    second = settle(shop, TODAY)
    assert (second.number, second.units) == (2, 510)
    shop.whole()


def test_a_document_of_a_later_day_ends_the_range_whatever_follows(shop: Place) -> None:
    shop.credit(1000, TODAY)
    shop.sell(FIRST)  # written after, for a day before
    assert owing.owed(shop.session, shop.seller, shop.supporter, LATER).parts == ()
    assert owing.owed(shop.session, shop.seller, shop.supporter, TODAY).units == 210


def test_more_credited_than_sold_gives_a_credit_note_the_other_way_round(shop: Place) -> None:
    shop.mandate()
    shop.credit(1000, FIRST)
    made = settle(shop)
    document = document_of(shop.session, made)
    assert (made.units, document.kind, document.net) == (-300, "self-billed-credit", 300)
    assert allocating.number_of(document).shown == "AFA2026-000001"
    assert shop.balance(shop.seller, "401") == 300
    assert shop.balance(shop.supporter, "411") == -300
    shop.whole()
    settlements.pay(shop.session, made, TODAY, TODAY)
    assert shop.balance(shop.seller, "512") == 300
    assert shop.balance(shop.supporter, "512") == -300
    shop.whole()


def test_every_document_of_settlements_can_be_written_on_paper(shop: Place) -> None:
    shop.sell()
    settlements.invoice(shop.session, settle(shop), TODAY)
    shop.credit(1000, TODAY)
    settlements.invoice(shop.session, settle(shop, TODAY), TODAY)
    shop.mandate()
    shop.credit(200, TODAY)
    settle(shop, TODAY)
    documents = select(Invoice).where(Invoice.organisation_id == shop.supporter.id)
    shown = {one.number: one for one in papers.every(shop.session, documents)}
    assert set(shown) == {"F2026-000001", "A2026-000001", "AFA2026-000001"}
    for one in shown.values():
        checks.check(one)
    corrected = [one.number for one in shown["AFA2026-000001"].references.preceding]
    assert corrected == ["F2026-000001"]


def test_a_credit_without_mandate_is_the_beneficiarys_own(shop: Place) -> None:
    shop.credit(1000, FIRST)
    made = settle(shop)
    assert settlements.invoice(shop.session, made, TODAY).shown == "A2026-000001"
    shop.whole()


def test_what_is_nothing_in_the_end_has_no_document_but_is_settled(shop: Place) -> None:
    shop.sell()
    shop.credit(1200, FIRST)
    shop.credit(500, LATER, "support")
    made = settle(shop)
    assert (made.units, state(shop.session, made)) == (0, SETTLED)
    assert shop.balance(shop.seller, "604") == 0
    shop.whole()


def test_a_settlement_is_paid_once(shop: Place) -> None:
    shop.mandate()
    shop.sell()
    made = settle(shop)
    settlements.pay(shop.session, made, TODAY, TODAY)
    assert state(shop.session, made) == SETTLED
    assert shop.balance(shop.seller, "512") == -510
    assert shop.balance(shop.supporter, "512") == 510
    assert shop.balance(shop.seller, "401") == shop.balance(shop.supporter, "411") == 0
    assert open_items.left_on(shop.session, document_of(shop.session, made)) == 0
    shop.whole()
    with pytest.raises(UsageRefused, match="is settled, it cannot be paid"):
        settlements.pay(shop.session, made, TODAY, TODAY)


def test_what_is_not_invoiced_cannot_be_paid(shop: Place) -> None:
    shop.sell()
    with pytest.raises(UsageRefused, match="is owed, it cannot be paid"):
        settlements.pay(shop.session, settle(shop), TODAY, TODAY)


def test_nobody_settles_or_pays_the_future(shop: Place) -> None:
    shop.mandate()
    shop.sell()
    with pytest.raises(UsageRefused, match="is not over"):
        settle(shop, date(2026, 2, 6))
    with pytest.raises(UsageRefused, match="is not there yet"):
        settlements.pay(shop.session, settle(shop), date(2026, 2, 6), TODAY)


@pytest.mark.parametrize("mode", [contracts.TWO_CONTRACTS, contracts.MECENAT])
def test_other_modes_owe_nothing(session: Session, mode: str) -> None:
    shop = opened(session)
    shop.contract(mode=mode)
    shop.sell()
    assert owing.owed(session, shop.seller, shop.supporter, LATER).parts == ()
    assert owing.pairs(session) == []


def test_a_licensed_provider_has_paid_both_when_every_sale_is_paid(session: Session) -> None:
    shop = opened(session)
    shop.contract(mode=contracts.LICENSED)
    shop.mandate()
    sold = shop.sell()
    allocating.allocate(session, sold, sold.gross, "payment", (shop.paid(sold), FIRST))
    made = settle(shop)
    assert state(session, made) == SETTLED
    paid = [
        one.text
        for one in session.scalars(select(LedgerTransaction))
        if one.idempotency_key.endswith(":paid")
    ]
    shown = "Règlement 1-2-1, versé par le prestataire de paiement agréé"
    assert paid == [shown, shown]
    shop.whole()


def test_a_licensed_settlement_waits_for_the_subscribers(session: Session) -> None:
    shop = opened(session)
    shop.contract(mode=contracts.LICENSED)
    shop.mandate()
    shop.sell()
    assert state(session, settle(shop)) == INVOICED


def test_verify_sees_a_settlement_that_was_changed(shop: Place, session: Session) -> None:
    shop.mandate()
    shop.sell()
    made = settle(shop)
    settlements.pay(session, made, TODAY, TODAY)
    session.commit()
    for wrong, what in {
        "UPDATE settlement SET after_entry = -1": "does not begin where",
        "UPDATE settlement SET units = 500": "is not the sum of its parts",
        "UPDATE line_share SET units = units + 1": "give another sum",
        "UPDATE invoice SET net = 1 WHERE kind = 'self-billed'": "its document has another sum",
        "DELETE FROM allocation": "cents of its document are open",
        "UPDATE ledger_posting SET units = 511 WHERE account = '401' AND units = 510": "differ by",
    }.items():
        table = wrong.split()[1 if wrong.startswith("UPDATE") else 2]
        verb = wrong.split()[0].lower()
        session.execute(text(f"DROP TRIGGER {table}_no_{verb}"))
        session.execute(text(wrong))
        assert any(what in one.what for one in verify.verify(session)), wrong
        session.rollback()


def test_roles_and_funds_have_lines_of_their_own(session: Session) -> None:
    shop = opened(session)
    fund = shop.fund(shop.supporter)
    shop.contract(
        shares=[
            Share(shop.supporter, 20),
            Share(shop.supporter, 10, fund=fund),
            Share(shop.seller, 70),
        ]
    )
    shop.mandate()
    shop.sell()
    made = settle(shop)
    rows = session.execute(text("SELECT label, net FROM invoice_line WHERE series = 'AF2026'"))
    assert sorted(map(tuple, rows)) == [
        ("Part sur les ventes (service)", 240),
        ("Part sur les ventes (service), fonds Pot solidarity", 120),
        ("Part sur les ventes (support)", 100),
        ("Part sur les ventes (support), fonds Pot solidarity", 50),
    ]
    assert made.units == 510
    shop.whole()
