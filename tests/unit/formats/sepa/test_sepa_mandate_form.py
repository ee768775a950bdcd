from __future__ import annotations

import re
import struct
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import pypdfium2
import pytest
from lxml import html

from provision.errors import UsageRefused
from provision.formats.sepa.logos import data_address
from provision.formats.sepa.mandate_form import Look, mandate_html, mandate_pdf
from provision.formats.sepa.mandates import MandateParty
from tests.unit.formats.sepa.sepa_examples import FRENCH, MANDATE, assert_golden

if TYPE_CHECKING:
    from provision.formats.sepa.mandates import Mandate

SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 4"><rect width="9" height="4"/></svg>'
)
EMPTY = replace(
    MANDATE, iban="", bic="", signed_on=None, kind="OOFF", debtor=MandateParty("Jeanne")
)


def wide(count: int) -> Mandate:
    """Return a mandate in which everything is as wide as letters get."""
    party = MandateParty("W" * count, "W" * count, "W" * 16, "W" * min(count, 35))
    iban = "MT84MALT011000012345MTLCAST001S"
    return replace(MANDATE, reference="W" * 35, creditor=party, debtor=party, iban=iban)


def text_of(mandate: Mandate, language: Literal["fr", "en"] = "fr") -> str:
    page = mandate_html(mandate, language=language)
    return re.sub(r"\s+", " ", html.fromstring(page).text_content())


def png(width: int, height: int) -> bytes:
    header = struct.pack(">I4sII", 13, b"IHDR", width, height)
    return b"\x89PNG\r\n\x1a\n" + header + b"\x08\x02\x00\x00\x00" + b"\x00" * 4


def test_the_form_is_the_golden_one() -> None:
    assert_golden("mandate.html", mandate_html(MANDATE, Look(SVG, "#7a1f5c")))


def test_the_empty_form_is_the_golden_one() -> None:
    assert_golden("mandate_empty.html", mandate_html(EMPTY))


@pytest.mark.parametrize("mandate", [MANDATE, EMPTY, *map(wide, (28, 36, 44, 64))])
def test_the_form_is_one_page_of_a4(mandate: Mandate) -> None:
    document = pypdfium2.PdfDocument(mandate_pdf(mandate, Look(SVG)))
    sizes = [page.get_size() for page in document]
    text = document[0].get_textpage().get_text_range()
    document.close()
    assert sizes == [pytest.approx((595.28, 841.89), abs=0.1)]
    assert "Mandat de prélèvement SEPA" in text
    assert "Signature" in text
    assert "À retourner au créancier" in text


def test_the_form_says_all_that_makes_a_mandate() -> None:
    text = text_of(MANDATE)
    for needed in (
        "Mandat de prélèvement SEPA",
        "TOPO-000042",
        "FR72ZZZ123456",
        "autorisez (A) Atelier du Libre à envoyer",
        "dans les 8 semaines suivant la date de débit",
        "1 rue de la République, 42000 Saint-Étienne",
        "Élodie Nœuf-Château",
        "05/01/2026",
        "Signature",
    ):
        assert needed in text


def test_the_form_speaks_the_language_of_the_debtor_alone() -> None:
    french, english = text_of(MANDATE), text_of(MANDATE, "en")
    for words in ("SEPA Direct Debit Mandate", "within 8 weeks starting from", "Your account"):
        assert words in english
        assert words not in french
    for words in ("Mandat de prélèvement", "dans les 8 semaines", "Votre compte", "créancier"):
        assert words in french
        assert words not in english


def test_an_iban_fills_its_boxes_and_an_unknown_one_leaves_them_empty() -> None:
    filled = html.fromstring(mandate_html(MANDATE)).find_class("boxes")
    assert [boxes.text_content() for boxes in filled] == [FRENCH, "AGRIFRPPXXX"]
    empty = html.fromstring(mandate_html(EMPTY)).find_class("boxes")
    assert [len(boxes.find_class("box")) for boxes in empty] == [27, 11]
    abroad = replace(EMPTY, debtor=MandateParty("Jeanne", country="BE"))
    boxes = html.fromstring(mandate_html(abroad)).find_class("boxes")
    assert len(boxes[0].find_class("box")) == 34


@pytest.mark.parametrize(("mandate", "ticked"), [(MANDATE, "récurrent"), (EMPTY, "ponctuel")])
def test_one_kind_of_payment_is_ticked(mandate: Mandate, ticked: str) -> None:
    kinds = html.fromstring(mandate_html(mandate)).find_class("kind")
    (found,) = [kind.text_content() for kind in kinds if "×" in kind.text_content()]
    assert ticked in found


def test_a_name_is_text_and_never_markup_or_a_template() -> None:
    page = mandate_html(replace(MANDATE, debtor=MandateParty('<script>x</script> {{ 7 * 7 }} "')))
    assert "<script>" not in page
    assert "{{ 7 * 7 }}" in html.fromstring(page).text_content()


@pytest.mark.parametrize(
    "colour", ["", "red", "#12345", "#1234567", "#12345g", "#1d5c47;x", "#1d5c47\n"]
)
def test_a_colour_that_is_none_is_refused(colour: str) -> None:
    with pytest.raises(UsageRefused, match="is not a colour"):
        Look(colour=colour)


@pytest.mark.parametrize("logo", [SVG, png(10, 10), b"<?xml version='1.0'?>" + SVG])
def test_a_png_and_an_svg_are_taken(logo: bytes) -> None:
    assert data_address(logo).startswith("data:image/")


def test_a_broken_picture_leaves_the_form_whole() -> None:
    assert mandate_pdf(MANDATE, Look(png(10, 10))).startswith(b"%PDF")


@pytest.mark.parametrize(
    "logo",
    [
        b"",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n",
        png(0, 10),
        png(2001, 10),
        png(10, 2**31),
        b"x" * (256 * 1024 + 1),
        b"<html/>",
        b"<!DOCTYPE svg><svg/>",
        b"<svg><script>x</script></svg>",
        b'<svg><image href="http://x.example/a.png"/></svg>',
        b'<svg xmlns:l="http://www.w3.org/1999/xlink"><use l:href="file:///etc/x"/></svg>',
        b"<svg><rect style=\"fill: url('http://x.example')\"/></svg>",
        b'<svg><g id="a"/><use href="#a"/></svg>',
        b"<svg><style>@import 'x'</style></svg>",
        b"<svg><?xml-stylesheet href='http://x.example'?></svg>",
    ],
)
def test_a_logo_that_is_none_or_more_than_shapes_is_refused(logo: bytes) -> None:
    with pytest.raises(UsageRefused, match="logo"):
        data_address(logo)
