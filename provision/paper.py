"""The only door to WeasyPrint: one self-contained page in, a PDF out, nothing fetched."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher

if TYPE_CHECKING:
    from weasyprint.urls import URLFetcherResponse


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


@cache
def _sheet(style: str) -> CSS:
    """Read a style sheet once, not for every page."""
    return CSS(string=style, url_fetcher=OnlyInside(), font_config=_fonts())


@cache
def _fonts() -> FontConfiguration:
    """Read the fonts of the machine once: it takes longer than a page."""
    return FontConfiguration()
