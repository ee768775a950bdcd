"""By what states know a business, and postcodes: what people type becomes one way of writing.

Spaces (also the narrow ones that word processors set), dots and hyphens between digits are fine; a
wrong key is not. Each function returns the short form or raises UsageRefused.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from stdnum import get_cc_module
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import ValidationError
from stdnum.fr import siren as siren_number
from stdnum.fr import siret as siret_number

from provision.errors import UsageRefused, WordRefused

if TYPE_CHECKING:
    from stdnum.util import NumberValidationModule

SEPARATORS = dict.fromkeys(map(ord, " .-/"))
BUSINESSES: dict[str, tuple[re.Pattern[str], NumberValidationModule]] = {
    "SIREN": (re.compile(r"[0-9]{9}"), siren_number),
    "SIRET": (re.compile(r"[0-9]{14}"), siret_number),
}
SIREN_DIGITS = 9
LONGEST_SHOWN = 40
VAT_ID = re.compile(r"[A-Z]{2}[0-9A-Z+*]{2,13}")
FRENCH_POSTCODE = re.compile(r"[0-9]{5}")
POSTCODE = re.compile(r"[A-Z0-9](?:[A-Z0-9 -]{0,8}[A-Z0-9])?")
# Whose addresses La Poste serves: five digits (Monaco is 98000).
FRENCH_POST = frozenset({"FR", "MC", "GP", "MQ", "GF", "RE", "YT", "PM", "BL", "MF", "NC", "PF"})


def siren(typed: str) -> str:
    """Return the nine digits of a SIREN; of a SIRET (an establishment) those of its business.

    The last digit of both is a Luhn key (ISO/IEC 7812-1), as INSEE defines it; La Poste's own
    establishments have another one.
    """
    digits = _compact(typed)
    kind = next((kind for kind, (form, _) in BUSINESSES.items() if form.fullmatch(digits)), None)
    if kind is None:
        raise UsageRefused(
            f"{_shown(typed)} is not a SIREN",
            "It has nine digits, such as 732 829 320; a SIRET has fourteen.",
        )
    if not BUSINESSES[kind][1].is_valid(digits):
        raise UsageRefused(f"The {kind} {digits} has a wrong digit", "Copy it once more.")
    return digits[:SIREN_DIGITS]


def vat_id(typed: str) -> str:
    """Return a VAT number in capitals with its country, such as FR40303265045.

    Its key is checked wherever the rule of the country is known; whether it is in force is known by
    VIES only.
    """
    compact = _compact(typed).upper()
    if not compact.isascii() or not VAT_ID.fullmatch(compact):
        raise UsageRefused(
            f"{_shown(typed)} is not a VAT number",
            "It begins with two letters of its country, such as FR40303265045.",
        )
    rule = _rule(compact[:2])
    if rule is None:
        return compact
    try:
        rule.validate(compact)
    except ValidationError:
        raise UsageRefused(
            f"The VAT number {compact} has a wrong key or length", "Copy it once more."
        ) from None
    return f"EL{compact[2:]}" if compact.startswith("GR") else compact


def postcode(typed: str, country: str) -> str:
    """Return a postcode in capitals; where La Poste delivers it has five digits."""
    code = " ".join(typed.upper().split())
    if country in FRENCH_POST:
        code = code.replace(" ", "")
        if not FRENCH_POSTCODE.fullmatch(code):
            raise UsageRefused(
                f"{_shown(typed)} is not a French postcode", "It has five digits, such as 14000."
            )
    if not POSTCODE.fullmatch(code):
        raise UsageRefused(f"{_shown(typed)} is not a postcode", "Use letters and digits.")
    return code


def check_together(siren_digits: str, vat_number: str) -> None:
    """Raise UsageRefused where a French VAT number is another business's than the SIREN.

    It is FR, a key of two, and the SIREN (article 286 ter of the tax code).
    """
    french = vat_number.startswith("FR") and not vat_number[4:].startswith("000")
    if siren_digits and french and vat_number[4:] != siren_digits:
        raise WordRefused(
            "vat_id",
            f"The VAT number {vat_number} is not of the business with the SIREN {siren_digits}",
            "Copy both once more; a French one ends with the SIREN.",
        )


def _rule(country: str) -> NumberValidationModule | None:
    """Return the library's rule for VAT numbers that begin with `country`, if there is one."""
    if country == "EL" or country.lower() in eu_vat.MEMBER_STATES:
        return eu_vat
    return get_cc_module(country.lower(), "vat")


def _compact(typed: str) -> str:
    spaced = "".join(" " if unicodedata.category(sign) == "Zs" else sign for sign in typed)
    return spaced.translate(SEPARATORS)


def _shown(typed: str) -> str:
    """Quote what was typed so that neither a terminal nor a log can be fooled by it."""
    return ascii(typed if len(typed) <= LONGEST_SHOWN else typed[:LONGEST_SHOWN] + "…")
