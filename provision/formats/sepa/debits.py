"""Debits: what is to be collected, by whom, under which mandate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.errors import PaquetError, UsageRefused
from provision.formats.sepa import identifiers
from provision.formats.sepa.characters import (
    LONGEST_NAME,
    LONGEST_POSTCODE,
    LONGEST_TEXT,
    LONGEST_TOWN,
    reference,
    sepa_text,
)
from provision.money import MoneyRefused, show_euros

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provision.formats.sepa.mandates import Mandate
    from provision.money import Cents

MOST_UNITS = 999_999_999_99  # EPC130-08: amounts from 0.01 to 999 999 999.99 EUR


@dataclass(frozen=True)
class Creditor:
    """Who collects: name, account, bank, and SEPA creditor identifier (ICS)."""

    name: str
    iban: str
    bic: str
    creditor_identifier: str

    def __post_init__(self) -> None:
        checked = {
            "name": sepa_text(self.name, "creditor's name", LONGEST_NAME),
            "iban": identifiers.iban(self.iban),
            "bic": identifiers.bic(self.bic),
            "creditor_identifier": identifiers.creditor_identifier(self.creditor_identifier),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)


@dataclass(frozen=True)
class Debit:
    """One collection of `units` cents; `text` and the invoice's number reach the debtor's bank."""

    end_to_end: str
    units: Cents
    mandate: Mandate
    text: str
    invoice_number: str

    def __post_init__(self) -> None:
        reference(self.end_to_end, "reference of a debit")
        check_units(self.units)
        if len(self.text) > LONGEST_TEXT:
            raise UsageRefused(
                f"The text of debit {self.end_to_end} is longer than {LONGEST_TEXT} characters"
            )
        # Each refuses what cannot be written, now and not in the middle of a file.
        self.debtor_name()
        self.remittance()
        self.foreign_address()

    def debtor_name(self) -> str:
        """Return the debtor's name in SEPA's characters, cut to the 70 that a file can hold."""
        return sepa_text(self.mandate.debtor.name, "debtor's name", LONGEST_NAME)

    def remittance(self) -> str:
        """Return what the debtor reads on the statement: invoice number, then text, 140 at most."""
        says_it = self.invoice_number in self.text.split()
        line = self.text if says_it else f"{self.invoice_number} {self.text}"
        return sepa_text(line, "text of a debit", LONGEST_TEXT)

    def foreign_address(self) -> dict[str, str]:
        """Return the debtor's address by sepaxml's words; {} inside the European Economic Area.

        Outside it the debtor's bank must be named and the address given, since 15 November 2026
        in parts. Sources: regulation (EU) 2023/1113, EPC130-08, EPC153-22.
        """
        mandate = self.mandate
        if not mandate.iban or not identifiers.leaves_the_economic_area(mandate.iban):
            return {}
        debtor = mandate.debtor
        if not mandate.bic or not debtor.town:
            raise PaquetError(
                f"The mandate {mandate.reference} debits an account in {mandate.iban[:2]}, outside "
                "the European Economic Area, and lacks the BIC or the debtor's town "
                "(paquet mandate complete)",
                "Enter both: banks there refuse the debit without.",
            )
        parts = (
            ("street_name", debtor.street, LONGEST_NAME),
            ("postcode", debtor.postcode, LONGEST_POSTCODE),
            ("town", debtor.town, LONGEST_TOWN),
        )
        written = {name: sepa_text(text, name, longest) for name, text, longest in parts if text}
        return written | {"country": debtor.country}


def said_of(invoices: Sequence[str]) -> str:
    """Return what a debit for these invoices says, 140 characters at most: 'et 3 autres' is honest.

    The announcement names every one.
    """
    if len(invoices) == 1:
        return f"Facture {invoices[0]}"
    for named in range(len(invoices), 0, -1):
        left = len(invoices) - named
        more = f" et {left} autre{'s' if left > 1 else ''}" if left else ""
        text = f"Factures {' '.join(invoices[:named])}{more}"
        if len(text) <= LONGEST_TEXT:
            return text
    return f"{len(invoices)} factures"


def check_units(units: object) -> None:
    """Raise MoneyRefused unless `units` is an amount in cents that a debit can have."""
    if not isinstance(units, int) or isinstance(units, bool) or not 1 <= units <= MOST_UNITS:
        raise MoneyRefused(
            f"A debit of {str(units)[:20]} cents is not possible",
            f"It takes whole cents, from {show_euros(1)} to {show_euros(MOST_UNITS)}.",
        )
