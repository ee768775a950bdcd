from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from provision.errors import UsageRefused
from provision.subscriptions import ledger, profiles, verify
from provision.subscriptions.payments import receiving, reconciling, transfers
from provision.subscriptions.payments.receiving import Source
from provision.subscriptions.settling import settlements, steps
from tests.integration.subscriptions.conftest import START, profile
from tests.integration.subscriptions.paying_shop import (
    COLLECT_ON,
    THEIRS,
    TOLD,
    Said,
    camt,
    open_till,
)

if TYPE_CHECKING:
    from provision.subscriptions.invoice_models import Settlement
    from provision.subscriptions.models import Organisation
    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.paying_shop import Till

DOCUMENT = "L2026-000001"  # the association's first invoice


@pytest.fixture
def till(shop: Shop) -> Till:
    """Ten euros were sold, and the association's three are invoiced to the business."""
    made = open_till(shop)
    bank = profile(shop.supporter.name, iban=THEIRS, invoice_prefix="L")
    profiles.add(shop.session, shop.supporter, bank, START + timedelta(days=1))
    made.subscribe(shop.jeanne)
    shop.bill(START + timedelta(days=1))
    return made


@pytest.fixture
def settlement(till: Till) -> Settlement:
    made = settlements.make(
        till.session, till.seller, till.shop.supporter, START + timedelta(days=1), COLLECT_ON
    )
    assert made is not None
    settlements.invoice(till.session, made, COLLECT_ON)
    return made


def holds(till: Till, organisation: Organisation, account: str) -> int:
    sight = ledger.Sight(organisation.id)
    found = {one.account: one.amount.units for one in ledger.balance(till.session, sight)}
    return found.get(account, 0)


def associations_statement(till: Till, units: int) -> None:
    """The association's own bank shows what came in; it had nothing before."""
    content = camt(9, COLLECT_ON, 0, [Said(units, text=f"VIR {DOCUMENT}")])
    theirs = content.replace(b"FR1420041010050500013M02606", THEIRS.encode())
    source = Source(theirs, "association.xml")
    receiving.bring_in(till.session, till.shop.supporter, source, COLLECT_ON)


def test_the_statement_of_one_pays_in_both_books_and_that_of_the_other_finds_it(
    till: Till, settlement: Settlement
) -> None:
    till.bank(Said(-300, text=f"VIR {DOCUMENT}"))
    (accepted,) = reconciling.accept_certain(till.session, till.seller, COLLECT_ON, TOLD)
    assert accepted.refused == ""
    assert steps.state(till.session, settlement) == steps.SETTLED
    seller, supporter = till.seller, till.shop.supporter
    assert [holds(till, seller, account) for account in ("401", "580", "512")] == [0, 0, -300]
    assert [holds(till, supporter, account) for account in ("411", "580", "512")] == [0, 0, 300]
    assert verify.verify(till.session) == []


def test_who_has_statements_too_waits_for_them(till: Till, settlement: Settlement) -> None:
    supporter = till.shop.supporter
    content = camt(8, COLLECT_ON, 0, []).replace(b"FR1420041010050500013M02606", THEIRS.encode())
    receiving.bring_in(till.session, supporter, Source(content, "empty.xml"), COLLECT_ON)
    settlements.pay(till.session, settlement, COLLECT_ON, COLLECT_ON)
    assert holds(till, supporter, "580") == 300
    assert holds(till, supporter, "512") == 0
    associations_statement(till, 300)
    (accepted,) = reconciling.accept_certain(till.session, supporter, COLLECT_ON, TOLD)
    assert accepted.refused == ""
    assert [holds(till, supporter, account) for account in ("580", "512")] == [0, 300]
    assert transfers.expected(till.session, supporter) == []
    assert verify.verify(till.session) == []


def test_another_amount_is_never_taken_for_the_settlement(
    till: Till, settlement: Settlement
) -> None:
    (row,) = till.bank(Said(-299, text=f"VIR {DOCUMENT}"))
    assert reconciling.accept_certain(till.session, till.seller, COLLECT_ON, TOLD) == []
    with (
        pytest.raises(UsageRefused, match="is not what was waited for"),
        till.session.begin_nested(),
    ):
        transfers.book(till.session, row, DOCUMENT, COLLECT_ON)
    assert steps.state(till.session, settlement) == steps.INVOICED
    with pytest.raises(UsageRefused, match="not the document of one settlement"):
        transfers.book(till.session, row, "L2026-000009", COLLECT_ON)
