"""Letters on paper: one PDF, each letter with what is enclosed on sheets of its own.

The address stands in the window of a French DL envelope (NF Z11-001): in a sheet folded in three it
shows what lies 100 to 190 mm from the left and 45 to 79 mm from the top, however the sheet slips.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from pypdf import PdfReader, PdfWriter

from provision.errors import PaquetError
from provision.paper import page_pdf
from provision.post.message import paragraphs
from provision.rendering import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pypdf import PageObject

    from provision.post.message import Attached
    from provision.post.models import Letter

A4 = (595.28, 841.89)  # points
DAYS = {"fr": "%d/%m/%Y", "en": "%d %B %Y"}


@dataclass(frozen=True)
class PaperLetter:
    """A letter and the files that go with it; only PDF can be printed."""

    letter: Letter
    files: Sequence[Attached]


@dataclass(frozen=True)
class Sheets:
    """One PDF of all letters, and where each is in it: its number, its first page, its pages."""

    pdf: bytes
    places: tuple[tuple[int, int, int], ...]


def bound(letters: Sequence[PaperLetter], language: str, *, duplex: bool = False) -> Sheets:
    """Return the letters in this order behind a list of them; with `duplex`, each on a new sheet.

    Printed on both sides, a letter with an odd number of pages is followed by an empty one.
    """
    printed = [_pages(paper) for paper in letters]
    lengths = [len(pages) + (len(pages) % 2 if duplex else 0) for pages in printed]
    cover = _reader(_cover(letters, printed, language)).pages
    begins = len(cover) + (len(cover) % 2 if duplex else 0)
    whole = PdfWriter()
    _add(whole, list(cover), begins)
    places = []
    for paper, pages, length in zip(letters, printed, lengths, strict=True):
        places.append((paper.letter.id, begins + 1, len(pages)))
        _add(whole, pages, length)
        begins += length
    out = BytesIO()
    whole.write(out)
    return Sheets(out.getvalue(), tuple(places))


def page(letter: Letter) -> bytes:
    """Return the pages of the letter itself as PDF."""
    parts = paragraphs(letter.text)
    words = {
        "language": letter.language,
        "title": letter.subject,
        "paragraphs": parts,
        "sender": letter.from_name,
        "sender_lines": [line for line in letter.from_address.splitlines() if line],
        "name": letter.to_name,
        "lines": letter.address.splitlines(),
        "day": letter.written_on.strftime(DAYS[letter.language]),
    }
    return page_pdf(render("post/page.html", words), render("post/page.css", {}))


def _pages(paper: PaperLetter) -> list[PageObject]:
    """Return the pages of a letter; raises PaquetError naming the one that cannot be printed."""
    try:
        return _drawn(paper)
    except Exception as broken:
        number = paper.letter.id
        raise PaquetError(
            f"Letter {number} cannot be printed: {type(broken).__name__}",
            f"Let the others go on without it: paquet post hold {number} --why …",
        ) from broken


def _drawn(paper: PaperLetter) -> list[PageObject]:
    printable = [file.content for file in paper.files if file.name.lower().endswith(".pdf")]
    return [leaf for pdf in (page(paper.letter), *printable) for leaf in _reader(pdf).pages]


def _add(whole: PdfWriter, pages: Sequence[PageObject], length: int) -> None:
    for printed in pages:
        whole.add_page(printed)
    for _empty in range(length - len(pages)):
        whole.add_blank_page(*A4)


def _cover(
    letters: Sequence[PaperLetter], printed: Sequence[Sequence[PageObject]], language: str
) -> bytes:
    rows = [
        {"name": paper.letter.to_name, "postcode": paper.letter.postcode, "pages": len(pages)}
        for paper, pages in zip(letters, printed, strict=True)
    ]
    words = {"language": language, "rows": rows, "total": sum(map(len, printed))}
    return page_pdf(render("post/cover.html", words), render("post/page.css", {}))


def _reader(pdf: bytes) -> PdfReader:
    return PdfReader(BytesIO(pdf))
