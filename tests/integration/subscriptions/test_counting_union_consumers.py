"""What counts against the threshold of consumers in other member states, on both databases."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from provision.formats.codes.vat_zones import Zone
from provision.subscriptions.books import verify
from provision.subscriptions.documents import issuing, union_consumers
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.offers import treatments
from provision.subscriptions.parties import identities
from provision.subscriptions.parties.identities import Person
from provision.subscriptions.parties.profiles import Address
from provision.subscriptions.selling import billing, credit_notes
from provision.subscriptions.selling.credit_notes import What

if TYPE_CHECKING:
    from tests.integration.subscriptions.conftest import Shop

TODAY = date(2026, 3, 10)
BERLIN = Address(lines=("1 Hauptstraße",), postcode="10115", city="Berlin", country="DE")


@pytest.fixture
def german(shop: Shop) -> Shop:
    """Jeanne lives in Berlin, and has subscribed at 10.00 € without VAT."""
    shop.contract()
    person = Person(name="Jeanne", email="jeanne@exemple.test", address=BERLIN)
    identities.write(shop.session, shop.jeanne, person, TODAY)
    shop.subscribe(shop.jeanne, TODAY)
    return shop


def counted(shop: Shop, year: int = 2026) -> int:
    return union_consumers.sold(shop.session, shop.seller.id, year)


def test_what_is_credited_counts_no_more(german: Shop) -> None:
    german.bill(TODAY)
    assert (counted(german), counted(german, 2025)) == (1000, 0)
    credit_notes.credit(german.session, Number(german.seller.id, "F2026", 1), What(300), "x", TODAY)
    assert counted(german) == 700
    assert verify.verify(german.session) == []


def test_a_cent_of_rounding_is_no_sale(german: Shop) -> None:
    """3.33 € with VAT inside are 2.77 and 0.55, and a cent that is neither."""
    german.sell_odd(TODAY)
    assert counted(german) == 833 + 277


def test_documents_of_before_count_by_whom_they_name(
    german: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(treatments.CASES, Zone.UNION, lambda *_words: "")
    german.bill(TODAY)
    monkeypatch.undo()
    assert counted(german) == 1000
    german.bill(date(2026, 4, 10))
    assert counted(german) == 2000


def test_a_run_keeps_who_is_left_out_as_they_were(
    german: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its splits go on where they stopped, and the next run bills what was left out."""
    monkeypatch.setattr(union_consumers, "LIMIT", 999)
    german.session.commit()
    would = billing.preview(german.session, TODAY)
    assert ([*would.left_out], would.documents) == ([1], 0)
    assert [*german.bill(TODAY).left_out] == [1]
    monkeypatch.undo()
    assert german.bill(TODAY).documents == 1
    assert verify.verify(german.session) == []


def test_a_term_that_was_beyond_in_its_year_is_so_in_the_next(
    german: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(union_consumers, "LIMIT", 9_500)
    for month in range(3, 12):
        assert german.bill(date(2026, month, 10)).documents == 1
    assert [*german.bill(date(2026, 12, 10)).left_out] == [1]
    assert [*german.bill(date(2027, 1, 2)).left_out] == [1]
    assert (counted(german), counted(german, 2027)) == (9_000, 0)


def test_a_line_at_home_is_sealed_as_before_there_were_buyers_abroad() -> None:
    """The digest was made by the release before the column."""
    invoice: dict[str, object] = {
        **dict.fromkeys(issuing.SEALED, "x"),
        "net": 833,
        "vat": 167,
        "gross": 1000,
        "subscription_id": 1,
        "identity_id": 1,
        "issued_on": TODAY,
        "due_on": date(2026, 4, 9),
        "organisation_id": 1,
        "series": "F2026",
        "number": 1,
        "credited_series": None,
        "credited_number": None,
    }
    line: dict[str, object] = {
        "organisation_id": 1,
        "series": "F2026",
        "number": 1,
        "line": 1,
        "net": 833,
        "vat": 167,
        "vat_category": "S",
        "vat_rate": 2000,
        "contract_id": None,
        "carried": 833,
    }
    at_home = issuing.digest(invoice, [{**line, "vat_abroad": ""}], [])
    assert at_home == "4d49f26a6ca3f2adc2eac0ddfb19e52e09fc528e9e4471cbab0cafed5523ff47"
    assert issuing.digest(invoice, [{**line, "vat_abroad": "union_consumer"}], []) != at_home
