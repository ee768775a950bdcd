"""What a phone reads off an invoice, and what its reader finds beside the code."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pypdfium2
import pytest
import zxingcpp
from pypdf import PdfReader

from provision.formats.facturx.invoice import ToBePaid
from provision.formats.facturx.invoice_pdf import invoice_pdf
from provision.formats.facturx.parties import Brand
from tests.unit.formats.facturx.document_examples import ASKED, EXAMPLES, IBAN, LINK
from tests.unit.formats.facturx.test_documents_pdf import PNG, pages_of

if TYPE_CHECKING:
    from provision.formats.facturx.invoice import PaperInvoice


def codes_of(invoice: PaperInvoice, inches: int = 72) -> list[Any]:
    """Return the codes that a camera reads on the first page, drawn with 150 dots an inch."""
    image = pypdfium2.PdfDocument(invoice_pdf(invoice))[0].render(scale=150 / inches).to_pil()
    return list(zxingcpp.read_barcodes(image))


def test_a_phone_reads_the_transfer_off_the_printed_page() -> None:
    (code,) = codes_of(replace(ASKED, to_be_paid=ToBePaid(4_050)))
    assert code.bytes.decode().split("\n") == [
        *("BCD", "002", "1", "SCT", "PSSTFRPPPAR", "Libre Caen SCOP", IBAN, "EUR40.5"),
        *("", "", "F2026-00042"),
    ]


def test_the_code_is_as_wide_as_phones_want_it_with_white_around_it() -> None:
    (code,) = codes_of(ASKED)
    corners = code.position
    width = corners.top_right.x - corners.top_left.x
    assert width / 150 * 25.4 >= 25
    page = pypdfium2.PdfDocument(invoice_pdf(ASKED))[0].render(scale=150 / 72).to_pil().convert("L")
    around = width // 41 * 3  # of the four white modules, three for sure
    box = (
        corners.top_left.x - around,
        corners.top_left.y - around,
        corners.bottom_right.x + around,
        corners.bottom_right.y + around,
    )
    dark = page.crop(box).point(lambda shade: 255 * (shade < 128)).getbbox()
    assert dark is not None
    assert min(dark[0], dark[1]) >= around - 2
    assert dark[2] <= width + around + 3


def test_beside_the_code_stands_what_is_typed_and_how_much_it_asks_for() -> None:
    text = pages_of(invoice_pdf(replace(ASKED, to_be_paid=ToBePaid(4_050, LINK))))[0]
    assert "À scanner avec l’application de votre banque : 40,50 €" in text
    assert IBAN in text.replace(" ", "")
    assert "Référence à rappeler F2026-00042" in text
    assert f"Payer par carte : {LINK}" in text


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "asked"])
def test_what_is_not_to_be_paid_by_a_transfer_has_no_code(name: str) -> None:
    invoice = EXAMPLES[name]
    assert codes_of(invoice) == []
    assert "scan" not in " ".join(pages_of(invoice_pdf(invoice)))


def test_who_has_no_account_may_be_paid_by_card_alone() -> None:
    text = pages_of(invoice_pdf(replace(ASKED, payment=None)))[0]
    assert f"Règlement Payer par carte : {LINK}" in text
    assert codes_of(replace(ASKED, payment=None)) == []


def test_the_picture_of_the_code_is_one_that_archives_take() -> None:
    """PDF/A-3 (ISO 19005-3, 6.2.8) wants no smoothing, and marks only what is seen by all."""
    branded = replace(ASKED, brand=Brand(PNG))
    page: Any = PdfReader(BytesIO(invoice_pdf(branded))).pages[0]
    pictures = [one.get_object() for one in page["/Resources"]["/XObject"].values()]
    assert [picture["/Interpolate"].value for picture in pictures] == [False, False]
    assert not any("/SMask" in picture for picture in pictures)
    (link,) = [one.get_object() for one in page["/Annots"]]
    assert link["/A"]["/URI"] == LINK
    assert link["/F"] & 4
