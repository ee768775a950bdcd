"""What names an account, a bank, a creditor, a mandate and a debit: read strictly, made alike."""

from __future__ import annotations

import re
from functools import lru_cache

from schwifty import IBAN
from schwifty.exceptions import (
    InvalidBBANChecksum,
    InvalidChecksumDigits,
    InvalidCountryCode,
    InvalidLength,
    SchwiftyException,
)
from stdnum.eu import at_02
from stdnum.exceptions import ValidationError

from provision.errors import UsageRefused
from provision.formats.sepa.characters import SHOWN, reference, shown

# The countries of EPC409-09, "EPC list of SEPA scheme countries", as they begin an IBAN. The
# library's own list lacks those that joined in 2024 and 2025 (AL, MD, ME, MK, RS).
INSIDE = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"
OUTSIDE = "AD AL CH GB GI MC MD ME MK RS SM VA"
EUROPEAN_ECONOMIC_AREA, OTHER_SEPA = frozenset(INSIDE.split()), frozenset(OUTSIDE.split())
FRENCH_KEY = frozenset({"FR", "MC"})  # whose accounts end with the key of a RIB
# ISO 9362 as pain.008.001.02 has it (BICIdentifier).
BIC = re.compile(r"[A-Z]{6}[A-Z2-9][A-NP-Z0-9](?:[A-Z0-9]{3})?")
CREDITOR = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{3}[A-Z0-9]{1,28}")
FRENCH_CREDITOR_LENGTH = 13  # FR, key, three of the business, six of the number
BUSINESS_CODE = slice(4, 7)
PREFIX = re.compile(r"[A-Z0-9](?:[A-Z0-9-]{0,18}[A-Z0-9])?")
MOST_NUMBER = 10**10 - 1
MOST_KNOWN = 10_000  # accounts: each is read several times on its way


@lru_cache(maxsize=MOST_KNOWN)
def iban(typed: str) -> str:
    """Return the IBAN in capitals without spaces, or raise UsageRefused.

    Checked are the country, its length and pattern, the key (ISO 13616), the French RIB key, and
    that the country lies in the SEPA area.
    """
    compact = "".join(typed.split())
    if not compact.isascii() or not compact.isalnum():
        raise UsageRefused(f"{shown(typed)} is not an IBAN", "It has letters and digits only.")
    try:
        read = IBAN(compact, validate_bban=compact[:2].upper() in FRENCH_KEY)
    except SchwiftyException as wrong:
        raise _iban_refused(compact, wrong) from None
    if read.country_code not in EUROPEAN_ECONOMIC_AREA | OTHER_SEPA:
        raise UsageRefused(
            f"The IBAN {shown(compact)} is of {read.country_code}, outside the SEPA area",
            "A direct debit needs an account in the SEPA area: agree on another way to pay.",
        )
    return str(read)


def bic(typed: str) -> str:
    """Return the BIC in capitals, or raise UsageRefused."""
    compact = typed.strip(" ")
    if not BIC.fullmatch(compact.upper() if compact.isascii() else compact):
        raise UsageRefused(
            f"{shown(typed)} is not a BIC", "It has 8 or 11 characters, such as PSSTFRPPXXX."
        )
    return compact.upper()


@lru_cache(maxsize=MOST_KNOWN)
def bic_of(checked_iban: str) -> str:
    """Return the BIC that the public registers know for this IBAN's bank, else ''."""
    known = IBAN(checked_iban).bic
    return "" if known is None else str(known)


def leaves_the_economic_area(checked_iban: str) -> bool:
    """Tell whether a debit of this IBAN must name the debtor's bank and address."""
    return checked_iban[:2] not in EUROPEAN_ECONOMIC_AREA


def creditor_identifier(typed: str) -> str:
    """Return the SEPA creditor identifier (ICS) without spaces, or raise UsageRefused.

    Source: EPC262-08; its key covers neither the three characters of the business code nor itself.
    """
    compact = "".join(typed.split()).upper()
    french_but_short = compact.startswith("FR") and len(compact) != FRENCH_CREDITOR_LENGTH
    if not typed.isascii() or not CREDITOR.fullmatch(compact) or french_but_short:
        raise UsageRefused(
            f"{shown(typed)} is not a SEPA creditor identifier",
            "The bank gives it; a French one looks like FR72ZZZ123456.",
        )
    try:
        at_02.validate(compact)
    except ValidationError:
        raise UsageRefused(
            f"The SEPA creditor identifier {shown(compact)} has a wrong key", "Copy it once more."
        ) from None
    return compact


def same_creditor(identifier: str, other: str) -> bool:
    """Tell whether two identifiers mean one creditor, whatever business code they carry."""
    return _without_business(identifier) == _without_business(other)


def mandate_reference(organisation_code: str, number: int) -> str:
    """Return the unique mandate reference (RUM) of an organisation's n-th mandate.

    The code has at most 20 capitals, digits and inner hyphens: 'TOPO' and 42 give 'TOPO-000042'.
    """
    code = organisation_code.upper() if organisation_code.isascii() else organisation_code
    if not PREFIX.fullmatch(code):
        raise UsageRefused(
            f"{shown(organisation_code)} cannot begin a mandate reference",
            "Use at most 20 letters A-Z, digits and inner hyphens.",
        )
    return reference(f"{code}-{_counted(number, 'mandate'):06d}", "mandate reference")


def end_to_end(series: str, number: int, attempt: int) -> str:
    """Return the reference by which a debit and its return are known: series, number, attempt.

    Two debits never share one, since number and attempt are read from the right.
    """
    text = f"{series}-{_counted(number, 'invoice')}-{_counted(attempt, 'attempt')}"
    return reference(text, "reference of a debit")


def _counted(number: object, what: str) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= MOST_NUMBER:
        raise UsageRefused(f"{str(number)[:SHOWN]!r} is not the number of a {what}")
    return number


def _without_business(identifier: str) -> str:
    return identifier[: BUSINESS_CODE.start] + identifier[BUSINESS_CODE.stop :]


def _iban_refused(compact: str, wrong: SchwiftyException) -> UsageRefused:
    """Say in one sentence what is wrong with an IBAN."""
    named = f"The IBAN {shown(compact)}"
    if isinstance(wrong, InvalidCountryCode):
        return UsageRefused(f"{named} begins with no country of IBANs", "It begins like FR76.")
    if isinstance(wrong, InvalidLength):
        return UsageRefused(
            f"{named} is too long or too short for {compact[:2].upper()}", "Copy it once more."
        )
    if isinstance(wrong, InvalidChecksumDigits | InvalidBBANChecksum):
        return UsageRefused(f"{named} has a wrong letter or digit", "Copy it once more.")
    return UsageRefused(f"{shown(compact)} is not an IBAN", "It looks like FR76 3000 6000 …")
