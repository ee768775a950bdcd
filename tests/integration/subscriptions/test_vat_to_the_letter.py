"""BR-CO-17 of EN 16931 without the cent of tolerance that some checkers allow."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

import pytest
from lxml import etree
from sqlalchemy import select

from provision.errors import UsageRefused
from provision.formats.facturx import schematron
from provision.formats.facturx.facturx_xml import facturx
from provision.formats.facturx.invoice_pdf import invoice_html
from provision.subscriptions.books import papers, verify
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.ledger import posting
from provision.subscriptions.selling import credit_notes
from provision.subscriptions.selling.credit_notes import What

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.subscriptions.conftest import Shop

TODAY = date(2026, 3, 10)


def value(within: etree._Element, name: str) -> Decimal:
    return Decimal(within.findtext(f".//{{*}}{name}") or "0")


def wrong_taxes(xml: bytes) -> Iterator[tuple[Decimal, Decimal]]:
    """Yield base and VAT of each rate whose VAT is not base × rate, rounded to the cent."""
    settlement = etree.fromstring(xml).find(".//{*}ApplicableHeaderTradeSettlement")
    assert settlement is not None
    for tax in settlement.findall("{*}ApplicableTradeTax"):
        base, vat = value(tax, "BasisAmount"), value(tax, "CalculatedAmount")
        exact = base * value(tax, "RateApplicablePercent") / 100
        if vat != exact.quantize(Decimal("0.01"), ROUND_HALF_UP):
            yield base, vat


@pytest.fixture
def taxed(shop: Shop) -> Shop:
    """A seller that is liable for VAT sells something for 3.33 € with VAT inside."""
    shop.contract()
    shop.sell_odd(TODAY)
    return shop


def test_a_price_that_no_base_reaches_is_asked_for_with_a_cent_of_rounding(taxed: Shop) -> None:
    (document,) = papers.every(taxed.session, select(Invoice))
    xml = facturx(document)
    assert list(wrong_taxes(xml)) == []
    assert schematron.findings([xml]) == [()]
    totals = document.totals
    assert totals.payable == 333
    assert abs(totals.rounding) == 1
    assert totals.gross + totals.rounding == 333
    assert "Arrondi" in invoice_html(document)
    assert verify.verify(taxed.session) == []


def test_what_is_taken_back_of_it_is_exact_too(taxed: Shop) -> None:
    number = Number(taxed.seller.id, "F2026", 1)
    credit_notes.credit(taxed.session, number, What(111), "panne", TODAY)
    credit_notes.credit(taxed.session, number, What(), "annulé", TODAY)
    documents = list(papers.every(taxed.session, select(Invoice)))
    assert sorted(one.totals.payable for one in documents) == [111, 222, 333]
    for document in documents:
        assert list(wrong_taxes(facturx(document))) == []
    sums = {one.account: one.amount.units for one in posting.balance(taxed.session)}
    assert sums.get("411", 0) == 0
    assert verify.verify(taxed.session) == []


def test_the_check_of_these_tests_knows_a_wrong_cent() -> None:
    wrong = b"""<a xmlns="x"><ApplicableHeaderTradeSettlement><ApplicableTradeTax>
      <CalculatedAmount>0.56</CalculatedAmount><BasisAmount>2.77</BasisAmount>
      <RateApplicablePercent>20.00</RateApplicablePercent>
    </ApplicableTradeTax></ApplicableHeaderTradeSettlement></a>"""
    assert list(wrong_taxes(wrong)) == [(Decimal("2.77"), Decimal("0.56"))]


def test_a_line_is_taken_back_with_its_cent_of_rounding(taxed: Shop) -> None:
    """The paper shows one line of 3.33 €: that is what goes, and no cent stays open."""
    number = Number(taxed.seller.id, "F2026", 1)
    with pytest.raises(UsageRefused, match="does not have each of these lines") as refused:
        credit_notes.credit(taxed.session, number, What(lines=(2,)), "panne", TODAY)
    assert refused.value.hint == "It has the lines 1 to 1."
    credit_notes.credit(taxed.session, number, What(lines=(1,)), "panne", TODAY)
    documents = list(papers.every(taxed.session, select(Invoice)))
    assert [one.totals.payable for one in documents] == [333, 333]
    sums = {one.account: one.amount.units for one in posting.balance(taxed.session)}
    assert [sums[one] for one in ("411", "706", "44571")] == [0, 0, 0]
    assert verify.verify(taxed.session) == []
