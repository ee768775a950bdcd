from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from provision.errors import UsageRefused
from provision.subscriptions.books import verify
from provision.subscriptions.documents import describing
from provision.subscriptions.ledger import posting
from provision.subscriptions.offers import contracts
from provision.subscriptions.parties import organisations
from provision.subscriptions.payments import movements, receiving
from provision.subscriptions.payments.receiving import Source
from provision.subscriptions.settling import settlements, steps, transfers
from provision.workflows import reconciling
from tests.integration.subscriptions.conftest import START, newcomer, profile
from tests.integration.subscriptions.paying_shop import (
    COLLECT_ON,
    THEIRS,
    TOLD,
    Said,
    camt,
    open_till,
)

if TYPE_CHECKING:
    from provision.subscriptions.documents.models import Settlement
    from provision.subscriptions.parties.models import Organisation
    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.paying_shop import Till

DOCUMENT = "L2026-000001"  # the association's first invoice


@pytest.fixture
def till(shop: Shop) -> Till:
    """Ten euros were sold, and the association's three are invoiced to the business."""
    made = open_till(shop)
    bank = profile(shop.supporter.name, iban=THEIRS, invoice_prefix="L")
    describing.describe(shop.session, shop.supporter, bank, START + timedelta(days=1))
    made.shop.subscribe(shop.jeanne)
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
    sight = posting.Sight(organisation.id)
    found = {one.account: one.amount.units for one in posting.balance(till.session, sight)}
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
        transfers.book(till.session, row, steps.shown(settlement), COLLECT_ON)
    assert steps.state(till.session, settlement) == steps.INVOICED
    with pytest.raises(UsageRefused, match="no settlement"):
        transfers.book(till.session, row, "1-2-9", COLLECT_ON)


@pytest.fixture
def second(till: Till, settlement: Settlement) -> Settlement:
    """Another association invoices its two euros under the same number, L2026-000001."""
    assert steps.shown(settlement) == "1-2-1"
    session, other = till.session, organisations.add(till.session, "Le Quai", "association")
    describing.describe(session, other, profile(other.name, invoice_prefix="L"), START)
    shares = contracts.two(till.seller, other, (80, 20))
    contracts.add(session, till.seller, other, shares, terms=("resale", START))
    till.shop.subscribe(newcomer(till.session, "Paul"), supporter=other)
    till.shop.bill(START + timedelta(days=1))
    made = settlements.make(session, till.seller, other, COLLECT_ON, COLLECT_ON)
    assert made is not None
    assert settlements.invoice(session, made, COLLECT_ON).shown == DOCUMENT
    return made


def test_of_two_issuers_with_one_number_the_amount_and_the_name_tell_which(
    till: Till, settlement: Settlement, second: Settlement
) -> None:
    till.bank(
        Said(-200, text=f"VIR LE QUAI {DOCUMENT}"),
        Said(-300, text=f"VIR {till.shop.supporter.name} {DOCUMENT}"),
    )
    accepted = reconciling.accept_certain(till.session, till.seller, COLLECT_ON, TOLD)
    assert [one.refused for one in accepted] == ["", ""]
    for one in (settlement, second):
        assert steps.state(till.session, one) == steps.SETTLED
    assert transfers.expected(till.session, till.seller) == []
    assert verify.verify(till.session) == []


def test_of_two_issuers_with_one_number_and_no_more_to_tell_none_is_taken(
    till: Till, settlement: Settlement, second: Settlement
) -> None:
    (row,) = till.bank(Said(-200, text=f"VIR {till.shop.supporter.name} {DOCUMENT}"))
    assert reconciling.accept_certain(till.session, till.seller, COLLECT_ON, TOLD) == []
    (seen,) = reconciling.propose(till.session, till.seller)
    assert seen.proposal is not None
    names = {steps.shown(settlement), steps.shown(second)}
    assert {one.reference for one in seen.proposal.expected} == names
    transfers.book(till.session, row, steps.shown(second), COLLECT_ON)
    assert steps.state(till.session, settlement) == steps.INVOICED
    assert steps.state(till.session, second) == steps.SETTLED
    assert verify.verify(till.session) == []


def test_a_settlement_between_others_is_not_ours_to_pay(till: Till, settlement: Settlement) -> None:
    other = organisations.add(till.session, "Le Quai", "association")
    describing.describe(till.session, other, profile(other.name, iban=THEIRS), START)
    content = camt(7, COLLECT_ON, 0, [Said(300, text=f"VIR {DOCUMENT}")])
    theirs = content.replace(b"FR1420041010050500013M02606", THEIRS.encode())
    receiving.bring_in(till.session, other, Source(theirs, "quai.xml"), COLLECT_ON)
    ((row, _parked),) = movements.unexplained(till.session, other.id)
    with pytest.raises(UsageRefused, match="is between others"):
        transfers.book(till.session, row, steps.shown(settlement), COLLECT_ON)
