"""Who is on a document, where they live, and how they pay. Pure data, checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from stdnum import iban
from stdnum.eu import at_02
from stdnum.fr import siren

from provision.errors import PaquetError
from provision.formats.codes import countries
from provision.formats.facturx import texts

if TYPE_CHECKING:
    from datetime import date

MOST_ADDRESS_LINES = 3  # EN 16931 has BT-35, BT-36 and BT-162
LARGEST_LOGO = 1_000_000
COUNTRY = re.compile("[A-Z]{2}")
VAT_ID = re.compile("[A-Z]{2}[0-9A-Z+*]{2,12}")
BIC = re.compile("[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")  # ISO 9362
MANDATE = re.compile(r"[A-Za-z0-9+?/:().,' -]{1,35}")  # EPC AT-01: what a RUM may be made of
COLOUR = re.compile("#[0-9a-fA-F]{6}")
PICTURES = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))


@dataclass(frozen=True)
class PostalAddress:
    """One to three lines of street, then postcode and city; `country` is ISO 3166-1 alpha-2."""

    lines: tuple[str, ...]
    postcode: str
    city: str
    country: str = "FR"

    def country_in(self, language: str) -> str:
        """Return the name of the country in the language of a letter."""
        return countries.name(self.country, language)


UNKNOWN = PostalAddress((), "", "")


@dataclass(frozen=True)
class Party:
    """A seller or a buyer; `legal` is like 'SCOP SARL, RCS Caen 732 829 320'.

    A person may keep the address to themselves (arrêté 83-50/A of 3 October 1983, article 3): it
    is UNKNOWN then, and only the country that EN 16931 asks for is said (BR-11).
    """

    name: str
    address: PostalAddress
    siren: str = ""
    vat_id: str = ""
    email: str = ""
    legal: str = ""
    is_person: bool = False


@dataclass(frozen=True)
class Transfer:
    """Paid by credit transfer to the seller's account, quoting `reference`."""

    iban: str
    bic: str = ""
    reference: str = ""


@dataclass(frozen=True)
class DirectDebit:
    """Collected on `collected` under the mandate (RUM) by the creditor (ICS)."""

    mandate: str
    creditor: str
    debtor_iban: str
    collected: date


Payment: TypeAlias = Transfer | DirectDebit


@dataclass(frozen=True)
class Brand:
    """How the issuer's letters look: a PNG or JPEG, and a colour as '#rrggbb'."""

    logo: bytes | None = None
    colour: str = "#1d5c47"


def check_party(party: Party, role: str) -> None:
    """Raise PaquetError unless the party can stand on an invoice as its `role`."""
    texts.check_name(party.name, f"name of the {role}")
    texts.check_line(party.legal, f"legal form of the {role}", texts.LONGEST_NAME)
    texts.check_line(party.email, f"e-mail address of the {role}", texts.LONGEST_NAME)
    if party.address != UNKNOWN or not party.is_person:
        check_address(party.address, role)
    if party.siren and not (siren.is_valid(party.siren) and party.siren.isdigit()):
        raise PaquetError(
            f"{party.siren[:20]!r} is not the SIREN of the {role}",
            "It has nine digits, without spaces, of which the last is a key.",
        )
    if party.vat_id and not VAT_ID.fullmatch(party.vat_id):
        raise PaquetError(
            f"{party.vat_id[:20]!r} is not the VAT number of the {role}",
            "Write it like FR40732829320, without spaces.",
        )


def check_address(address: PostalAddress, role: str) -> None:
    """Raise PaquetError unless a letter to the address would arrive."""
    if not 1 <= len(address.lines) <= MOST_ADDRESS_LINES:
        raise PaquetError(
            f"The address of the {role} has {len(address.lines)} lines",
            f"Give one to {MOST_ADDRESS_LINES} above the city.",
        )
    for line in address.lines:
        texts.check_name(line, f"address of the {role}")
    texts.check_line(address.postcode, f"postcode of the {role}")
    texts.check_name(address.city, f"city of the {role}")
    if not COUNTRY.fullmatch(address.country):
        raise PaquetError(
            f"{address.country[:20]!r} is not a country", "Give two capitals, for example FR."
        )


def check_payment(payment: Payment) -> None:
    """Raise PaquetError unless a bank could carry the payment out."""
    if isinstance(payment, Transfer):
        _check_iban(payment.iban)
        texts.check_line(payment.reference, "payment reference")
        if payment.bic and not BIC.fullmatch(payment.bic):
            raise PaquetError(f"{payment.bic[:20]!r} is not a BIC", "It has 8 or 11 characters.")
        return
    _check_iban(payment.debtor_iban)
    if not MANDATE.fullmatch(payment.mandate):
        raise PaquetError(
            f"{payment.mandate[:40]!r} cannot refer to a mandate", "Use up to 35 letters or digits."
        )
    if not at_02.is_valid(payment.creditor):
        raise PaquetError(
            f"{payment.creditor[:40]!r} is not a creditor identifier (ICS)",
            "The bank of the organisation gives it, for example FR72ZZZ123456.",
        )


def check_brand(brand: Brand) -> None:
    """Raise PaquetError unless the colour and the logo can be printed."""
    if not COLOUR.fullmatch(brand.colour):
        raise PaquetError(f"{brand.colour[:20]!r} is not a colour", "Write it like #1d5c47.")
    if brand.logo is not None:
        picture_type(brand.logo)


def picture_type(picture: bytes) -> str:
    """Return 'image/png' or 'image/jpeg'; raise PaquetError for anything else, or a huge file."""
    if len(picture) > LARGEST_LOGO:
        raise PaquetError("The logo is larger than 1 MB", "Make it smaller.")
    for beginning, kind in PICTURES:
        if picture.startswith(beginning):
            return kind
    raise PaquetError("The logo is neither a PNG nor a JPEG picture", "Convert it.")


def _check_iban(written: str) -> None:
    if not iban.is_valid(written):
        raise PaquetError(f"{written[:40]!r} is not an IBAN", "Check it once more.")
