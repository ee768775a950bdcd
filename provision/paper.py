"""The only door to WeasyPrint: one self-contained page in, a PDF out, nothing fetched."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from io import BytesIO
from typing import TYPE_CHECKING, Any

from weasyprint import CSS, HTML, Attachment
from weasyprint.css import ColorProfile
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher

if TYPE_CHECKING:
    from datetime import datetime

    from weasyprint.urls import URLFetcherResponse

COLOURS = "paper"
END_OF_METADATA = b"</rdf:RDF>"


@dataclass(frozen=True)
class Embedded:
    """A file inside a PDF/A-3: its `relationship` to the pages (ISO 32000-2, 7.11.3).

    `metadata` are rdf:Description elements that the PDF's own metadata (XMP) says about it.
    """

    name: str
    content: bytes
    description: str
    relationship: str
    modified: datetime
    metadata: bytes


class OnlyInside(URLFetcher):  # type: ignore[misc] # WeasyPrint ships no types
    """Gives what is inside the page (`data:`), and refuses every other address."""

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:
        """Return the content of a `data:` address; any other is a bug of the page."""
        if not url.startswith("data:"):
            raise FatalURLFetchingError(f"A page must not refer to anything outside itself: {url}")
        return super().fetch(url, headers)


def page_pdf(html: str, style: str) -> bytes:
    """Return the printed pages of `html`, whose style sheet is `style`."""
    fonts, sheet = _fonts(), _sheet(style)
    page = HTML(string=html, url_fetcher=OnlyInside())
    document: bytes = page.write_pdf(font_config=fonts, stylesheets=[sheet])
    return document


def archive_pdf(html: str, style: str, embedded: Embedded | None = None) -> bytes:
    """Return the pages as PDF/A-3b (ISO 19005-3), for ten years; the same bytes each time.

    The day of the document is the `dcterms.created` of the page.
    """
    page = HTML(string=html, url_fetcher=OnlyInside())
    written: bytes = page.write_pdf(
        font_config=_fonts(),
        stylesheets=[_sheet(style)],
        pdf_variant="pdf/a-3b",
        color_profiles={COLOURS: _srgb()},
        output_intent=COLOURS,
        attachments=[_attachment(embedded)] if embedded else None,
        finisher=partial(_describe, embedded.metadata) if embedded else None,
    )
    return written


def _attachment(embedded: Embedded) -> Attachment:
    return Attachment(
        string=embedded.content,
        name=embedded.name,
        description=embedded.description,
        relationship=embedded.relationship,
        created=embedded.modified,
        modified=embedded.modified,
    )


def _describe(metadata: bytes, document: object, pdf: Any) -> None:  # noqa: ANN401 # no types
    """Put `metadata` into the one rdf:RDF that XMP may have, and name each file once.

    WeasyPrint would append a second rdf:RDF, and lists an attachment of the document twice.
    """
    del document
    stream = pdf.objects[int(pdf.catalog["Metadata"].split()[0])]
    before, end, after = b"".join(stream.stream).partition(END_OF_METADATA)
    stream.stream = [before, metadata, end, after]
    attached = pdf.catalog["AF"]
    pdf.catalog["AF"] = type(attached)(dict.fromkeys(attached))


@cache
def _sheet(style: str) -> CSS:
    """Read a style sheet once, not for every page."""
    return CSS(string=style, url_fetcher=OnlyInside(), font_config=_fonts())


@cache
def _fonts() -> FontConfiguration:
    """Read the fonts of the machine once: it takes longer than a page."""
    return FontConfiguration()


def _srgb() -> ColorProfile:
    """Return the sRGB profile of WeasyPrint, which itself leaves the file open at every PDF."""
    return ColorProfile(
        BytesIO(_srgb_file()), "sRGB2014.icc", "relative-colorimetric", (["r"], ["g"], ["b"])
    )


@cache
def _srgb_file() -> bytes:
    return (files("weasyprint.pdf") / "sRGB2014.icc").read_bytes()
