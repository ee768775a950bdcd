"""The only door to WeasyPrint: one self-contained page in, a PDF out, nothing fetched."""

from __future__ import annotations

from functools import cache
from typing import NoReturn

from weasyprint import HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher


class NothingIsFetched(URLFetcher):  # type: ignore[misc] # WeasyPrint ships no types
    """Refuses every address: what the page needs is in the page."""

    def fetch(self, url: str, headers: object = None) -> NoReturn:
        """Raise, whatever is asked for: a page that asks is a bug."""
        del headers
        raise FatalURLFetchingError(f"A kit must not refer to anything outside itself: {url}")


def page_pdf(html: str) -> bytes:
    """Return the printed pages of `html`."""
    document: bytes = HTML(string=html, url_fetcher=NothingIsFetched()).write_pdf(
        font_config=_fonts()
    )
    return document


@cache
def _fonts() -> FontConfiguration:
    """Read the fonts of the machine once: it takes longer than a page."""
    return FontConfiguration()
