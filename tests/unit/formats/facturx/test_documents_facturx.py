from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
from facturx import get_flavor, get_level, parse_ubl_cii_xml
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from provision.errors import PaquetError
from provision.formats.facturx import facturx_xml
from provision.formats.facturx.facturx_xml import facturx, read, validate_schema
from provision.formats.facturx.invoice import References, Terms
from provision.formats.facturx.mentions import mentions
from tests.unit.formats.facturx.document_examples import (
    ACCESSORY,
    BUSINESS,
    COMPANY,
    COVERED,
    CREDIT,
    DEDUCTED,
    DEPOSIT_CREDIT,
    DISCOUNTED,
    ENGLISH,
    EXAMPLES,
    FINAL,
    FRANCHISE,
    JEANNE,
    MONTH,
    OUTSIDE,
    PAID,
    PERSON,
    SELF_BILLED,
    assert_golden,
    vat_groups,
)

if TYPE_CHECKING:
    from provision.formats.facturx.invoice import PaperInvoice
    from provision.formats.facturx.parties import Party

HOSTILE = [
    "<script>alert(1)</script>",
    "{{ 7*7 }}",
    "{% include '/etc/passwd' %}",
    "]]>",
    "&lt;&amp;&#x41;",
    "\u202eevil\u200f",
    "🥖 👩‍🌾",
    "É" * 300,
    "%s %(x)s {0}",
]
# What XML 1.0 can carry and a line may hold.
READABLE = st.characters(
    blacklist_categories=("Cc", "Cs", "Zl", "Zp"), blacklist_characters="\ufffe\uffff"
)


def term(xml: bytes, path: str) -> str:
    """Return the only text at a path of local names."""
    steps = "/".join(f"*[local-name()='{step}']" for step in path.split("/"))
    (found,) = read(xml).xpath(f"//{steps}")
    return str(found.text)


def notes(invoice: PaperInvoice) -> dict[str, str]:
    return {mention.code: mention.text for mention in mentions(invoice)}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_xml_is_the_golden_one(name: str) -> None:
    assert_golden(f"{name}.xml", facturx(EXAMPLES[name]).decode())


@pytest.mark.parametrize("invoice", EXAMPLES.values(), ids=EXAMPLES)
def test_an_independent_reader_knows_it_as_factur_x_en_16931(invoice: PaperInvoice) -> None:
    root = etree.fromstring(facturx(invoice))
    assert get_flavor(root) == "factur-x"
    assert get_level(root) == "en16931"
    parsed = parse_ubl_cii_xml(facturx(invoice))
    assert parsed["BT-1"] == invoice.number
    assert round(float(parsed["BT-112"]) * 100) == invoice.totals.gross
    assert len(parsed["BG-25"]) == len(invoice.lines)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_people_wrote_is_read_back_and_changes_nothing_else(text: str) -> None:
    line = replace(MONTH, label=text, note=text)
    base = vat_groups(line)
    invoice = replace(
        base,
        buyer=replace(COMPANY, name=text),
        terms=Terms(notes=(text, "Deux\nlignes")),
        references=References(order=text[:60], buyer=text[:60]),
    )
    plain = replace(
        base, terms=Terms(notes=("x", "y")), references=References(order="x", buyer="y")
    )
    plain = replace(plain, lines=(replace(plain.lines[0], label="x", note="y"),))
    xml = facturx(invoice)
    assert [node.tag for node in read(xml).iter()] == [n.tag for n in read(facturx(plain)).iter()]
    assert term(xml, "BuyerTradeParty/Name") == text
    assert term(xml, "SpecifiedTradeProduct/Name") == text
    assert term(xml, "BuyerReference") == text[:60]


@settings(max_examples=60, deadline=None)
@given(st.text(READABLE, min_size=1, max_size=80).filter(str.strip))
def test_every_readable_name_survives_the_xml(name: str) -> None:
    xml = facturx(replace(PERSON, buyer=replace(JEANNE, name=name)))
    assert term(xml, "BuyerTradeParty/Name") == name


def test_the_same_invoice_gives_the_same_bytes() -> None:
    assert facturx(ENGLISH) == facturx(replace(ENGLISH))


def test_a_bad_invoice_gives_no_xml() -> None:
    with pytest.raises(PaquetError, match="does not follow"):
        facturx(replace(PERSON, totals=replace(PERSON.totals, payable=1)))


def test_a_discount_has_a_positive_price_and_a_negative_quantity() -> None:
    root = read(facturx(DISCOUNTED))
    quantities = root.xpath("//*[local-name()='BilledQuantity']/text()")
    prices = root.xpath("//*[local-name()='ChargeAmount']/text()")
    assert quantities == ["1", "-3"]
    assert prices == ["8.33", "1.00"]
    assert root.xpath("//*[local-name()='BasisQuantity']/text()") == ["3"]


def test_a_credit_note_has_positive_amounts_and_names_its_invoice() -> None:
    xml = facturx(CREDIT)
    assert term(xml, "ExchangedDocument/TypeCode") == "381"
    assert term(xml, "GrandTotalAmount") == "10.00"
    assert term(xml, "InvoiceReferencedDocument/IssuerAssignedID") == "F2026-00042"


def test_an_invoice_after_a_deposit_says_what_is_deducted_and_of_which_vat() -> None:
    xml = facturx(DEDUCTED)
    assert term(xml, "TotalPrepaidAmount") == "6.00"
    assert term(xml, "DuePayableAmount") == "4.00"
    assert term(xml, "GrandTotalAmount") == "10.00"
    assert term(xml, "InvoiceReferencedDocument/IssuerAssignedID") == "F2026-00040"
    note = notes(DEDUCTED)["AAI"].replace("\u00a0", " ")
    assert note == (
        "Acompte F2026-00040 du 5 octobre 2026, déduit : 6,00 €, dont 1,00 € de TVA déjà facturée."
    )


def test_no_more_deposits_are_deducted_than_is_already_paid() -> None:
    wrong = replace(DEDUCTED, totals=replace(DEDUCTED.totals, prepaid=599, payable=401))
    with pytest.raises(PaquetError, match=r"deducts deposits of €6\.00"):
        facturx(wrong)


@pytest.mark.parametrize(
    ("invoice", "process"),
    [
        (PERSON, "S1"),
        (PAID, "S2"),
        (FINAL, "S4"),
        (COVERED, "S4"),
        (CREDIT, "S1"),
        (DEPOSIT_CREDIT, "S1"),
    ],
    ids=["to pay", "paid", "after a deposit", "all deposited", "credit", "credit of a deposit"],
)
def test_the_billing_mode_says_what_is_sold_and_paid(invoice: PaperInvoice, process: str) -> None:
    path = "BusinessProcessSpecifiedDocumentContextParameter/ID"
    assert term(facturx(invoice), path) == process
    goods = replace(invoice, terms=Terms(nature="goods"))
    assert term(facturx(goods), path) == process.replace("S", "B")


def test_vat_falls_due_on_payment_debit_or_delivery() -> None:
    due = "ApplicableTradeTax/DueDateTypeCode"
    assert term(facturx(BUSINESS), due) == "72"
    assert term(facturx(replace(BUSINESS, terms=Terms(vat_on_debits=True))), due) == "5"
    assert term(facturx(replace(BUSINESS, terms=Terms(nature="goods"))), due) == "29"
    assert b"DueDateTypeCode" not in facturx(FRANCHISE)


def test_a_seller_without_vat_number_is_known_by_its_siren() -> None:
    for invoice in (ACCESSORY, FRANCHISE):
        root = read(facturx(invoice))
        known = root.xpath("//*[local-name()='SellerTradeParty']//*[@schemeID='FC']/text()")
        assert known == ["404833048"]


def test_nobody_has_a_vat_number_outside_the_scope_of_vat() -> None:
    assert b'schemeID="VA"' not in facturx(replace(OUTSIDE, seller=BUSINESS.seller))


def test_forty_euros_are_for_professionals_only() -> None:
    assert "40 €" in notes(BUSINESS)["PMT"]
    assert "sans objet" in notes(PERSON)["PMT"]
    assert "40" not in notes(PERSON)["PMT"]
    assert "€40" in notes(ENGLISH)["PMT"]
    assert "taux légal" in notes(PERSON)["PMD"]
    assert "trois fois le taux d'intérêt légal (code" in notes(BUSINESS)["PMD"]
    own = replace(BUSINESS, terms=replace(BUSINESS.terms, penalties="12 % par an"))
    assert "exigibles sans rappel : 12 % par an (code" in notes(own)["PMD"]


def test_the_mandate_of_a_self_billed_invoice_is_told() -> None:
    (told,) = [m.text for m in mentions(SELF_BILLED) if m.text.startswith("Autofacturation")]
    assert "mandat écrit du 15 janvier 2026" in told
    assert "15 jours" in told
    assert "Libre Caen SCOP établit cette facture au nom et pour le compte" in told


def test_a_name_cannot_slip_a_mention_in() -> None:
    sly = replace(SELF_BILLED, buyer=replace(SELF_BILLED.buyer, name="PMD {{ 7*7 }} AAB x"))
    assert [m.code for m in mentions(sly)] == [m.code for m in mentions(SELF_BILLED)]
    assert any("PMD {{ 7*7 }} AAB x établit" in m.text for m in mentions(sly))


@pytest.mark.parametrize(
    ("buyer", "treatment"),
    [
        (JEANNE, "B2C"),
        (replace(JEANNE, address=replace(JEANNE.address, country="BE")), "B2CINT"),
        (COMPANY, "B2B"),
        (ENGLISH.buyer, "B2BINT"),
    ],
)
def test_a_platform_is_told_whom_it_concerns(buyer: Party, treatment: str) -> None:
    xml = facturx(replace(BUSINESS, buyer=buyer))
    assert f"<ram:Content>{treatment}</ram:Content>" in xml.decode()


def test_nothing_is_told_where_vat_may_not_concern_the_buyer() -> None:
    assert b">BAR<" not in facturx(replace(BUSINESS, buyer=replace(COMPANY, vat_id="")))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode>", b""),
        (b"8.33</ram:LineTotalAmount>", b"eight</ram:LineTotalAmount>"),
        (b"ram:SellerTradeParty", b"ram:Vendor"),
        (b"rsm:CrossIndustryInvoice", b"rsm:Invoice"),
    ],
)
def test_what_is_not_factur_x_is_refused_by_the_schema(old: bytes, new: bytes) -> None:
    good = facturx(PERSON)
    assert old in good
    validate_schema(good)
    with pytest.raises(PaquetError, match="not Factur-X"):
        validate_schema(good.replace(old, new))


@pytest.mark.parametrize(
    ("xml", "why"),
    [
        (b"", "not XML"),
        (b"<a>", "not XML"),
        (b"\xff\xfe", "not XML"),
        (b"<!DOCTYPE a><a/>", "document type"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "document type"),
        (b'<!DOCTYPE a SYSTEM "http://198.51.100.1/a.dtd"><a/>', "document type"),
        (b"<a>" + b" " * 5_000_000 + b"</a>", "larger than 5 MB"),
        (b"<a>" * 300 + b"</a>" * 300, "not XML"),
    ],
    ids=range(8),
)
def test_hostile_xml_is_refused_in_one_sentence(xml: bytes, why: str) -> None:
    with pytest.raises(PaquetError, match=why):
        read(xml)


def test_the_schema_is_compiled_once() -> None:
    facturx_xml._schema.cache_clear()  # noqa: SLF001 # the cache is what is tested
    for _ in range(3):
        facturx(PERSON)
    assert facturx_xml._schema.cache_info().misses == 1  # noqa: SLF001 # same


def test_an_invoice_of_the_last_century_is_refused() -> None:
    dates = replace(PERSON.dates, issued=date(1999, 12, 31))
    with pytest.raises(PaquetError, match="1999-12-31"):
        facturx(replace(PERSON, dates=dates))
