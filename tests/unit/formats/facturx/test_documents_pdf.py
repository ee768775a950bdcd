from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

import pypdfium2
import pytest
from facturx import get_xml_from_pdf
from lxml import etree, html
from pypdf import PdfReader

from provision.errors import PaquetError
from provision.formats.facturx.facturx_xml import facturx
from provision.formats.facturx.invoice import PaperLine, References, Terms
from provision.formats.facturx.invoice_pdf import invoice_html, invoice_pdf
from provision.formats.facturx.mentions import mentions
from provision.formats.facturx.parties import Brand
from provision.formats.facturx.receipts import Donation, Signatory, donation_pdf, membership_pdf
from provision.paper import page_pdf
from tests.unit.formats.facturx.document_examples import (
    BUSINESS,
    COMPANY,
    CREDIT,
    DEBIT,
    ELIGIBLE,
    ENGLISH,
    EXAMPLES,
    FEE,
    FINAL,
    GIFT,
    IBAN,
    JEANNE,
    MONTH,
    ORGANISATION,
    PAID,
    PERSON,
    SELF_BILLED,
    YEAR,
    assert_golden,
    vat_groups,
)

if TYPE_CHECKING:
    from provision.formats.facturx.invoice import PaperInvoice

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
FACTURX = "{urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#}"
PDFA = "{http://www.aiim.org/pdfa/ns/id/}"
# A picture of one red pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108020000009077"
    "53de0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


def pages_of(pdf: bytes) -> list[str]:
    """Return the text of each page, spaces made plain."""
    document = pypdfium2.PdfDocument(pdf)
    texts = [document[at].get_textpage().get_text_range() for at in range(len(document))]
    document.close()
    return [re.sub(r"[\s\u202f]+", " ", text) for text in texts]


def metadata_of(pdf: bytes) -> Any:  # noqa: ANN401 # lxml ships no types
    root = PdfReader(BytesIO(pdf)).trailer["/Root"]
    return etree.fromstring(root["/Metadata"].get_data())  # type: ignore[index] # no types inside


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_page_is_the_golden_one(name: str) -> None:
    assert_golden(f"{name}.html", invoice_html(EXAMPLES[name]))


@pytest.mark.parametrize("invoice", [BUSINESS, CREDIT, SELF_BILLED], ids=lambda one: one.number)
def test_an_independent_reader_finds_the_very_xml_in_the_pdf(invoice: PaperInvoice) -> None:
    assert get_xml_from_pdf(invoice_pdf(invoice)) == ("factur-x.xml", facturx(invoice))


def test_the_same_invoice_gives_the_same_pdf() -> None:
    assert invoice_pdf(PERSON) == invoice_pdf(replace(PERSON))


def test_the_attachment_is_the_same_content_as_the_pages() -> None:
    root: Any = PdfReader(BytesIO(invoice_pdf(PERSON))).trailer["/Root"]
    (file,) = [entry.get_object() for entry in root["/AF"]]
    assert file["/AFRelationship"] == "/Alternative"
    assert file["/F"] == file["/UF"] == "factur-x.xml"
    assert file["/EF"]["/F"].get_object()["/Subtype"] == "/text/xml"


def test_the_metadata_say_pdf_a_3b_and_factur_x_in_one_rdf() -> None:
    metadata = metadata_of(invoice_pdf(PERSON))
    assert len(metadata.findall(f"{RDF}RDF")) == 1
    (archive,) = metadata.xpath("//*[@*[local-name()='part']]")
    assert (archive.get(f"{PDFA}part"), archive.get(f"{PDFA}conformance")) == ("3", "B")
    said = {node.tag.removeprefix(FACTURX): node.text for node in metadata.iter(f"{FACTURX}*")}
    assert said == {
        "ConformanceLevel": "EN 16931",
        "DocumentFileName": "factur-x.xml",
        "DocumentType": "INVOICE",
        "Version": "1.0",
    }
    described = metadata.xpath("//*[local-name()='property']//*[local-name()='name']/text()")
    assert set(described) == set(said)


def test_every_page_has_the_number_and_its_place() -> None:
    lines = [replace(MONTH, label=f"Paquet {number}") for number in range(40)]
    pages = pages_of(invoice_pdf(vat_groups(*lines)))
    assert len(pages) > 1
    for number, text in enumerate(pages, 1):
        assert "F2026-00042" in text
        assert f"page {number}/{len(pages)}" in text
        assert ("Désignation" in text) == ("Paquet" in text)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_paper_says_all_that_the_xml_says(name: str) -> None:
    invoice = EXAMPLES[name]
    text = " ".join(pages_of(invoice_pdf(invoice)))
    for party in (invoice.seller, invoice.buyer):
        for said in (party.name, *party.address.lines, party.address.city, party.siren):
            assert said in text
    for line in invoice.lines:
        assert line.label in text
    for mention in mentions(invoice):
        assert re.sub(r"\s+", " ", mention.text) in text
    for group in invoice.groups:
        assert group.exemption_text in text
    for earlier in invoice.references.preceding:
        assert earlier.number in text


def test_an_account_to_be_debited_is_masked_and_one_to_be_paid_is_not() -> None:
    assert "FR•• •••• •••• •••• •••• •••2 606" in pages_of(invoice_pdf(PERSON))[0]
    assert "2004" not in pages_of(invoice_pdf(PERSON))[0]
    assert IBAN in pages_of(invoice_pdf(BUSINESS))[0].replace(" ", "")


def test_the_collection_is_announced_with_its_mandate() -> None:
    text = pages_of(invoice_pdf(PERSON))[0]
    assert "10,00 € sera prélevé à partir du 15 novembre 2026" in text
    assert "PAQUET-JEANNE-1" in text
    assert "FR72ZZZ123456" in text


def test_what_was_paid_is_deducted_before_the_eyes() -> None:
    text = " ".join(pages_of(invoice_pdf(FINAL)))
    assert "Acompte A2026-00003 -50,00 €" in text
    assert "Net à payer 80,00 €" in text
    assert "Déduit l’acompte A2026-00003 du 1er novembre 2026" in text
    assert "Votre commande BC-77" in text


def test_an_invoice_that_is_paid_asks_for_nothing() -> None:
    text = " ".join(pages_of(invoice_pdf(replace(PAID, payment=DEBIT))))
    assert "Payée le 30 octobre 2026" in text
    assert "Déjà payé -10,00 €" in text
    assert "Rien à payer 0,00 €" in text
    assert "prélevé" not in text


def test_an_english_invoice_is_english() -> None:
    text = " ".join(pages_of(invoice_pdf(ENGLISH)))
    for said in ("Invoice", "Amount due €108.33", "1 November 2026", "3 hours", "page 1/"):
        assert said in text
    assert "Facture" not in text


def test_a_self_billed_invoice_goes_to_the_supplier_and_says_what_it_is() -> None:
    text = pages_of(invoice_pdf(SELF_BILLED))[0]
    assert "autofacturation" in text
    window = html.fromstring(invoice_html(SELF_BILLED)).xpath("//div[contains(@class,'window')]")
    assert "Les Communs numériques" in window[0].text_content()


def test_a_long_street_abroad_and_a_delivery_have_their_place() -> None:
    invoice = replace(BUSINESS, references=References(delivered_to=ENGLISH.buyer.address))
    assert "Adresse de livraison 1 Harbour Road" in pages_of(invoice_pdf(invoice))[0]


@pytest.mark.parametrize(
    "name",
    [
        """"'><script>alert(1)</script>{{ 7 * 7 }}&lt;""",
        "{% include 'money/letter.css' %}]]>",
        "W" * 300,
        "</style><img src=x>",
    ],
)
def test_a_hostile_name_is_only_text_on_paper(name: str) -> None:
    bad = replace(
        vat_groups(replace(MONTH, label=name, note=name)),
        buyer=replace(COMPANY, name=name),
        terms=Terms(notes=(name,)),
    )
    tree = html.fromstring(invoice_html(bad))
    assert not tree.xpath("//script | //img")
    assert tree.xpath("string(//div[contains(@class,'window')]/p)") == name
    assert name.replace(" ", "") in "".join(pages_of(invoice_pdf(bad))).replace(" ", "")


def test_a_name_cannot_turn_the_line_around() -> None:
    turned = replace(PERSON, buyer=replace(JEANNE, name="\u202eevil\u200f"))
    tree = html.fromstring(invoice_html(turned))
    assert {node.tag for node in tree.xpath("//body//*[contains(text(), '\u202e')]")} == {"bdi"}


def test_the_logo_and_the_colour_of_the_organisation_are_on_paper() -> None:
    branded = replace(PERSON, brand=Brand(PNG, "#7a2048"))
    tree = html.fromstring(invoice_html(branded))
    assert tree.xpath("//body/@style") == ["--brand: #7a2048"]
    image = pypdfium2.PdfDocument(invoice_pdf(branded))[0].render().to_pil().convert("RGB")
    colours = {colour for _, colour in image.getcolors(maxcolors=100_000)}
    assert (0x7A, 0x20, 0x48) in colours
    assert (0xFF, 0, 0) in colours
    plain = pypdfium2.PdfDocument(invoice_pdf(PERSON))[0].render().to_pil().convert("RGB")
    assert (0xFF, 0, 0) not in {colour for _, colour in plain.getcolors(maxcolors=100_000)}


def test_a_page_without_archive_is_made_as_before() -> None:
    pdf = page_pdf("<p>x</p>", "")
    assert "/Metadata" not in PdfReader(BytesIO(pdf)).trailer["/Root"]  # type: ignore[operator] # no types inside


def test_a_gift_cuts_a_tax_only_where_the_right_to_say_so_is_recorded() -> None:
    taxed = pages_of(donation_pdf(ELIGIBLE, GIFT, Donation()))[0]
    for said in (
        "Reçu au titre des dons",
        "article 200 du code général des impôts",
        "certifie sur l’honneur",
        "DON-2026-0003",
        "Jeanne Martin",
        "80,01 €",
        "quatre-vingts euros et un centime",
        "28 octobre 2026",
        "déclaration de don manuel",
        "numéraire",
        "virement",
        "rescrit fiscal du 12 mars 2025",
        "Des services numériques libres pour toutes et tous",
        "Organisme d’intérêt général à caractère éducatif",
    ):
        assert said in taxed
    plain = pages_of(donation_pdf(ORGANISATION, GIFT, Donation()))[0]
    assert "il ne donne droit à aucune réduction d’impôt" in plain
    assert "code général des impôts" not in plain
    assert "certifie" not in plain


def test_a_company_is_given_the_article_of_companies() -> None:
    text = pages_of(donation_pdf(ELIGIBLE, replace(GIFT, giver=COMPANY), Donation()))[0]
    assert "238 bis" in text
    assert "16216" in text
    assert "article 200" not in text
    assert "552100554" in text


def test_an_article_that_the_organisation_has_not_cuts_no_tax() -> None:
    assert ELIGIBLE.eligibility is not None
    only = replace(ELIGIBLE, eligibility=replace(ELIGIBLE.eligibility, articles=("200",)))
    text = pages_of(donation_pdf(only, replace(GIFT, giver=COMPANY), Donation()))[0]
    assert "n’est pas un reçu fiscal" in text


def test_an_english_acknowledgement_says_that_it_cuts_no_tax() -> None:
    text = pages_of(donation_pdf(ORGANISATION, GIFT, Donation(), "en"))[0]
    assert "eighty euros and one cent" in text
    assert "This is not a tax receipt" in text
    signed = pages_of(donation_pdf(ELIGIBLE, GIFT, Donation(), "en"))[0]
    assert "Le bénéficiaire certifie sur l’honneur" in signed


@pytest.mark.parametrize(
    ("signed", "place", "who"),
    [
        (Signatory("Camille Durand", "trésorière"), "Caen", "Camille Durand trésorière"),
        (Signatory("Camille Durand", "trésorière", "Rouen"), "Rouen", "Camille Durand trésorière"),
        (Signatory("La trésorière"), "Caen", "La trésorière"),
    ],
)
def test_a_receipt_says_who_signs_in_which_office_where_and_when_and_leaves_room(
    signed: Signatory, place: str, who: str
) -> None:
    for pdf in (
        donation_pdf(replace(ELIGIBLE, signed=signed), GIFT, Donation()),
        donation_pdf(replace(ORGANISATION, signed=signed), GIFT, Donation()),
        membership_pdf(replace(ORGANISATION, signed=signed), FEE, YEAR),
    ):
        text = " ".join(pages_of(pdf)[0].split())
        assert f"Fait à {place}, le 1er novembre 2026 {who} Signature" in text


@pytest.mark.parametrize(
    ("language", "said"), [("fr", "Reçu de cotisation"), ("en", "Membership fee receipt")]
)
def test_a_fee_has_a_receipt_that_is_no_invoice(language: Literal["fr", "en"], said: str) -> None:
    pdf = membership_pdf(ORGANISATION, FEE, YEAR, language)
    (text,) = pages_of(pdf)
    assert said in text
    assert "20" in text
    assert get_xml_from_pdf(pdf) == (False, False)
    assert pdf == membership_pdf(ORGANISATION, FEE, YEAR, language)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"units": 0}, "about nothing"),
        ({"units": -1}, "about nothing"),
        ({"number": "x y"}, "cannot be the number"),
        ({"on": date(2026, 11, 2)}, "older than what it is about"),
        ({"giver": replace(JEANNE, name="a\nb")}, "cannot be printed"),
    ],
)
def test_a_receipt_about_nothing_is_refused(change: dict[str, Any], why: str) -> None:
    with pytest.raises(PaquetError, match=why):
        donation_pdf(ELIGIBLE, replace(GIFT, **change), Donation())
    with pytest.raises(PaquetError, match=why):
        membership_pdf(ORGANISATION, replace(FEE, **change), YEAR)


def test_a_membership_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(PaquetError, match="ends before it begins"):
        membership_pdf(ORGANISATION, FEE, (YEAR[1], YEAR[0]))


def test_a_line_for_many_says_for_how_many_its_price_is() -> None:
    text = pages_of(invoice_pdf(vat_groups(PaperLine("Heures", 3, "hour", 10000, 2000, "S"))))[0]
    assert "100,00 € les 3" in text
