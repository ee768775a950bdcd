"""The mandate on paper: one page that a debtor reads, completes and signs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.errors import UsageRefused
from provision.formats.codes import countries
from provision.formats.sepa.characters import shown
from provision.formats.sepa.logos import data_address
from provision.paper import page_pdf
from provision.rendering import render

if TYPE_CHECKING:
    from provision.formats.sepa.mandates import Mandate
    from provision.languages import Language

COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
FRENCH_IBAN_LENGTH, LONGEST_IBAN, LONGEST_BIC = 27, 34, 11
GROUP = 4


@dataclass(frozen=True)
class Look:
    """How the creditor's paper looks: its logo (a PNG or an SVG, or nothing), and its colour."""

    logo: bytes = b""
    colour: str = "#1d5c47"

    def __post_init__(self) -> None:
        if not COLOUR.fullmatch(self.colour):
            raise UsageRefused(f"{shown(self.colour)} is not a colour", "Write it like #1d5c47.")


PLAIN = Look()


def mandate_html(mandate: Mandate, look: Look = PLAIN, language: Language = "fr") -> str:
    """Return the form as a self-contained page in the debtor's language.

    EPC016-06 asks for that language, and for English beside it only where nobody knows it. What
    the mandate does not say yet (address, IBAN, BIC, signature) is left open for a hand.
    """
    return render("money/mandate.html", _words(mandate, look, language))


def mandate_pdf(mandate: Mandate, look: Look = PLAIN, language: Language = "fr") -> bytes:
    """Return the form as one A4 page."""
    return page_pdf(mandate_html(mandate, look, language), render("money/mandate.css", {}))


def _words(mandate: Mandate, look: Look, language: Language) -> dict[str, object]:
    return {
        "mandate": mandate,
        "logo": data_address(look.logo) if look.logo else "",
        "colour": look.colour,
        "iban": _boxes(mandate.iban, _iban_length(mandate)),
        "language": language,
        "debtor_country": countries.name(mandate.debtor.country, language),
        "creditor_country": countries.name(mandate.creditor.country, language),
        "bic": _boxes(mandate.bic, len(mandate.bic) or LONGEST_BIC),
    }


def _iban_length(mandate: Mandate) -> int:
    """Return how many boxes a hand needs: a foreign IBAN may be longer than a French one."""
    if mandate.iban:
        return len(mandate.iban)
    return FRENCH_IBAN_LENGTH if mandate.debtor.country == "FR" else LONGEST_IBAN


def _boxes(written: str, count: int) -> list[str]:
    """Return the characters in groups of four; a space is an empty box."""
    padded = written.ljust(count)
    return [padded[start : start + GROUP] for start in range(0, count, GROUP)]
