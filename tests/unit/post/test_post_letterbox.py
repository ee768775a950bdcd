"""Letters on paper: the address in the window, each letter on a sheet of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pypdfium2
import pytest

from provision.post import letterbox
from provision.post.letterbox import PaperLetter
from provision.post.message import Attached, as_html
from tests.unit.post.post_examples import a_letter, check_golden

if TYPE_CHECKING:
    from collections.abc import Iterator

MILLIMETRES = 25.4 / 72
# What shows in the window of a DL envelope in any case, and what may show: millimetres from the
# left and from the top of a sheet that is folded in three.
SURE, PERHAPS = (100.0, 190.0, 45.0, 79.0), (90.0, 200.0, 34.0, 90.0)
SERVICE = "Service de la comptabilité\nBâtiment B, escalier 3"
MUCH = f"{SERVICE}\n12 rue de la République\n61100 Flers\nBelgique"


def characters(pdf: bytes, page: int = 0) -> Iterator[tuple[str, float, float]]:
    """Yield each visible character with the middle of its box, from the left and the top."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        leaf = document[page]
        text, height = leaf.get_textpage(), leaf.get_height()
        for index in range(text.count_chars()):
            left, bottom, right, top = text.get_charbox(index)
            letter = text.get_text_range(index, 1)
            if letter.strip():
                across, down = (left + right) / 2, height - (bottom + top) / 2
                yield letter, across * MILLIMETRES, down * MILLIMETRES
    finally:
        document.close()


def within(box: tuple[float, float, float, float], across: float, down: float) -> bool:
    left, right, top, bottom = box
    return left <= across <= right and top <= down <= bottom


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("Zoé Müller", "3 rue du Four\n61100 Flers"),
        ("Association des amis de la bibliothèque municipale de Flers", MUCH),
    ],
)
def test_the_window_shows_the_whole_address_and_nothing_else(name: str, address: str) -> None:
    pdf = letterbox.page(a_letter(to_name=name, address=address))
    every = list(characters(pdf))
    shown = "".join(one for one, *place in every if within(PERHAPS, *place))
    assert shown == "".join(f"{name}{address}".split())
    assert all(within(SURE, *place) for _one, *place in every if within(PERHAPS, *place))


def leaves(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [leaf.get_textpage().get_text_range() for leaf in document]
    finally:
        document.close()


@pytest.mark.parametrize(("duplex", "first", "second"), [(False, 2, 4), (True, 3, 5)])
def test_each_letter_begins_on_a_sheet_of_its_own_and_what_is_enclosed_follows_it(
    duplex: bool,  # noqa: FBT001
    first: int,
    second: int,
) -> None:
    enclosed = Attached("F2026-000012.pdf", letterbox.page(a_letter(subject="Pages jointes")))
    text = Attached("mot.txt", b"not printed")
    letters = [
        PaperLetter(a_letter(), [enclosed, text]),
        PaperLetter(a_letter(id=8, to_name="Luc Petit"), []),
    ]
    sheets = letterbox.bound(letters, "fr", duplex=duplex)
    pages = leaves(sheets.pdf)
    assert sheets.places == ((7, first, 2), (8, second, 1))
    assert "2 lettres, 3 pages" in pages[0]
    assert "Facture F2026-000012" in pages[first - 1]
    assert "Pages jointes" in pages[first]
    assert "Luc Petit" in pages[second - 1]
    assert len(pages) == (6 if duplex else 4)


def test_a_long_letter_goes_on_on_its_next_page() -> None:
    long = a_letter(text="\n\n".join(["Un paragraphe. " * 40] * 8))
    sheets = letterbox.bound([PaperLetter(long, [])], "en")
    ((_number, _first, count),) = sheets.places
    assert count == 2


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_page_of_an_e_mail_is_the_one_plain_design(language: str) -> None:
    check_golden(f"mail.{language}.html", as_html(a_letter(language=language)))
