"""Mandates: whose account may be debited by whom, and until when.

Sources: EPC016-06, SEPA Direct Debit Core rulebook; Banque de France, "Le
prélèvement SEPA" (questions of the Comité national des moyens de paiement).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dateutil.relativedelta import relativedelta

from provision import edges
from provision.days import sensible_day
from provision.errors import PaquetError, UsageRefused
from provision.formats.sepa import identifiers
from provision.formats.sepa.characters import LONGEST_POSTCODE, LONGEST_TOWN, reference, shown

if TYPE_CHECKING:
    from datetime import date

RECURRENT, ONE_OFF = "RCUR", "OOFF"
KINDS = (RECURRENT, ONE_OFF)
SCHEME = "CORE"
LIFE = relativedelta(months=36)
COUNTRY_LENGTH = 2
LONGEST = {"street": edges.LONGEST_NAME, "postcode": LONGEST_POSTCODE, "town": LONGEST_TOWN}

Kind = Literal["RCUR", "OOFF"]


@dataclass(frozen=True)
class MandateParty:
    """A creditor or a debtor: its name, and its address, which a person may still write by hand.

    Each is one line; a postcode has at most 16 characters, a town 35, as in a bank's file, name
    and street 64. `country` is the ISO 3166 code of two letters.
    """

    name: str
    street: str = ""
    postcode: str = ""
    town: str = ""
    country: str = "FR"

    def __post_init__(self) -> None:
        edges.person_name(self.name, "name")
        for what, longest in LONGEST.items():
            text = getattr(self, what)
            if text and len(edges.person_name(text, what)) > longest:
                raise UsageRefused(f"The {what} {shown(text)} is longer than {longest} characters")
        letters = self.country.isascii() and self.country.isalpha() and self.country.isupper()
        if not letters or len(self.country) != COUNTRY_LENGTH:
            raise UsageRefused(f"{shown(self.country)} is not a country", "Use a code such as FR.")


@dataclass(frozen=True)
class Mandate:
    """What a debtor signs; its identifiers are checked and compact as soon as it exists.

    `iban` and `bic` may be '' while the form waits for a hand. `last_collected_on` is the due date
    of the last collection that was presented, even if it came back.
    """

    reference: str
    creditor_identifier: str
    creditor: MandateParty
    debtor: MandateParty
    iban: str = ""
    bic: str = ""
    scheme: Literal["CORE"] = "CORE"
    kind: Kind = "RCUR"
    signed_on: date | None = None
    last_collected_on: date | None = None

    def __post_init__(self) -> None:
        if self.scheme != SCHEME or self.kind not in KINDS:
            raise UsageRefused(
                f"A mandate {self.scheme[:10]!r} {self.kind[:10]!r} is not known",
                f"Use {SCHEME} with {' or '.join(KINDS)}.",
            )
        reference(self.reference, "mandate reference")
        checked = {"creditor_identifier": identifiers.creditor_identifier(self.creditor_identifier)}
        if self.iban:
            checked["iban"] = identifiers.iban(self.iban)
        if self.bic:
            checked["bic"] = identifiers.bic(self.bic)
        for name, value in checked.items():
            object.__setattr__(self, name, value)


def usable(mandate: Mandate, day: date) -> None:
    """Raise PaquetError unless a debit may fall due on `day` under this mandate."""
    sensible_day(day, "the day of a debit")
    named = f"The mandate {mandate.reference}"
    if not mandate.iban:
        raise PaquetError(f"{named} names no account", "Enter the IBAN that the debtor wrote.")
    if mandate.signed_on is None:
        raise PaquetError(f"{named} is not signed", "Have it signed, then enter the day.")
    if mandate.signed_on > day:
        raise PaquetError(f"{named} is signed on {mandate.signed_on}, after {day}")
    if mandate.kind == ONE_OFF and mandate.last_collected_on is not None:
        raise PaquetError(
            f"{named} was for one debit, collected on {mandate.last_collected_on}",
            "A further debit needs a new mandate.",
        )
    last = last_day(mandate.last_collected_on or mandate.signed_on)
    if day > last:
        raise PaquetError(
            f"{named} is void since {last}: 36 months went by without a collection",
            "Have a new mandate signed.",
        )


def last_day(since: date) -> date:
    """Return the last day of a mandate that was last collected, or else signed, on `since`.

    The rulebook counts from the due date of the last collection; that an unused mandate ages from
    its signature is our caution, as it is the banks' advice.
    """
    return sensible_day(since, "the last use of a mandate") + LIFE
