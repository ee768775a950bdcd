"""The announcement of a debit: amount, day, mandate, invoice, and how to object.

Source: EPC016-06 (SEPA Direct Debit Core rulebook), pre-notification: at the latest 14 calendar
days before the due date, unless creditor and debtor agreed otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from provision import edges
from provision.days import sensible_day
from provision.errors import PaquetError, UsageRefused
from provision.formats.sepa.characters import reference
from provision.formats.sepa.debits import check_units
from provision.formats.sepa.mandates import usable
from provision.formats.sepa.target_days import is_target_day
from provision.money import show_euros
from provision.rendering import render

if TYPE_CHECKING:
    from datetime import date

    from provision.formats.sepa.mandates import Mandate
    from provision.languages import Language
    from provision.money import Cents

USUAL_DAYS, MOST_DAYS = 14, 365
LAST_SHOWN = 4


@dataclass(frozen=True)
class Notice:
    """What is announced for `collect_on`: invoices, each with its cents, collected by one debit.

    `contact` is where to object, one line.
    """

    mandate: Mandate
    invoices: tuple[tuple[str, Cents], ...]
    collect_on: date
    contact: str

    @property
    def units(self) -> Cents:
        """The cents of the debit."""
        return sum(units for _number, units in self.invoices)

    def __post_init__(self) -> None:
        if not self.invoices:
            raise PaquetError("A debit pays at least one invoice")
        for number, units in self.invoices:
            check_units(units)
            reference(number, "number of an invoice")
        check_units(self.units)
        edges.person_name(self.contact, "contact")
        usable(self.mandate, self.collect_on)
        if not is_target_day(self.collect_on):
            raise PaquetError(
                f"Banks are closed on {self.collect_on}", "Announce the day that will be collected."
            )


@dataclass(frozen=True)
class Announcement:
    """One e-mail: its subject on one line, and its body twice, as text and as a page."""

    subject: str
    text: str
    html: str


def announce(
    notice: Notice, sent_on: date, *, days: int = USUAL_DAYS, language: Language = "fr"
) -> Announcement:
    """Return the letter that announces a debit, in the language of who is told.

    `days` is the notice that the debtor must have: 14, or fewer where that was agreed. Raises
    PaquetError when `sent_on` leaves less.
    """
    if not 1 <= days <= MOST_DAYS:
        raise UsageRefused(f"A notice of {days} days is not from 1 to {MOST_DAYS}")
    sensible_day(sent_on, "the day of a letter")
    if sent_on + timedelta(days=days) > notice.collect_on:
        raise PaquetError(
            f"The debit of {notice.collect_on} must be announced {days} days before, and {sent_on} "
            "is too late",
            f"Collect it on {sent_on + timedelta(days=days)} or later.",
        )
    words = _words(notice, language)
    return Announcement(
        render(f"money/prenotification.subject.{language}.txt", words).strip(),
        render(f"money/prenotification.{language}.txt", words),
        render("money/prenotification.html", words),
    )


def masked(iban: str) -> str:
    """Return the IBAN so that its owner knows it and nobody else can use it."""
    return f"{iban[:LAST_SHOWN]} … {iban[-LAST_SHOWN:]}"


def _words(notice: Notice, language: str) -> dict[str, object]:
    return {
        "language": language,
        "notice": notice,
        "mandate": notice.mandate,
        "amount": show_euros(notice.units, language),
        "invoices": [(number, show_euros(units, language)) for number, units in notice.invoices],
        "account": masked(notice.mandate.iban),
    }
