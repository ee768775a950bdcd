"""Letters to those who have not paid: text for e-mail, and a page of paper for a formal notice."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.money import euros, show
from provision.paper import page_pdf
from provision.rendering import render
from provision.subscriptions.documents import mentions
from provision.subscriptions.documents.invoice import USUAL_PENALTIES
from provision.subscriptions.payments import penalties, policy
from provision.subscriptions.sepa.prenotification import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from provision.money import Cents
    from provision.subscriptions.identities import Person
    from provision.subscriptions.payments.reminders import Reminder
    from provision.subscriptions.profiles import Address, Profile

COMPANY = "company"
BETWEEN = "\n* * *\n\n"
DAYS = {"fr": "%d/%m/%Y", "en": "%d %B %Y"}


@dataclass(frozen=True)
class Letter:
    """One letter: its file name, to whom, its text in two languages, its page as PDF or b''."""

    name: str
    email: str
    text: str
    pdf: bytes = b""

    @property
    def digest(self) -> str:
        """The SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def write(
    to: tuple[Reminder, Person], profile: Profile, on: date, export_until: date | None = None
) -> Letter:
    """Return the letter of a step, first in the language of the person, then in the other.

    `export_until` is the last day to take everything along, where that is known.
    """
    reminder, person = to
    languages = sorted(LANGUAGES, key=lambda language: language != person.language)
    texts = {
        language: render(
            f"money/dunning.{language}.txt",
            {**_words(language, to, profile, on), "until": _day(export_until, on, language)},
        )
        for language in languages
    }
    return Letter(
        name=f"{reminder.owed.shown}-{reminder.step}-{on}",
        email=person.email,
        text=BETWEEN.join(texts.values()),
        pdf=_page(texts, person, profile, on) if reminder.step == policy.FORMAL else b"",
    )


def _words(
    language: str, to: tuple[Reminder, Person], profile: Profile, on: date
) -> dict[str, object]:
    reminder, person = to
    days, late, then = DAYS[language], person.kind == COMPANY, reminder.then
    interest = _interest(reminder, profile, on) if late else 0
    return {
        "step": reminder.step,
        "number": reminder.owed.shown,
        "name": person.name,
        "due": reminder.owed.due_on.strftime(days),
        "amount": show(euros(reminder.owed.units), language),
        "following": then and {"step": then[0], "day": then[1].strftime(days)},
        "indemnity": show(euros(penalties.INDEMNITY), language) if late else "",
        "penalties": mentions.penalties(profile.penalties, language),
        "interest": show(euros(interest), language) if interest else "",
        "iban": profile.iban,
        "contact": profile.email,
        "sender": profile.name,
    }


def _day(export_until: date | None, on: date, language: str) -> str:
    """Return the day as the letter says it, or '' where it is over, or not known."""
    return export_until.strftime(DAYS[language]) if export_until and export_until >= on else ""


def _interest(reminder: Reminder, profile: Profile, on: date) -> Cents:
    """Return the interest so far; 0 where terms are not the usual ones, or the rate is unknown."""
    if profile.penalties != USUAL_PENALTIES:
        return 0
    try:
        return penalties.interest(reminder.owed.units, reminder.owed.due_on, on)
    except PaquetError:
        return 0


def _page(texts: Mapping[str, str], person: Person, profile: Profile, on: date) -> bytes:
    versions = [
        {
            "language": language,
            "paragraphs": [part for part in text.split("\n\n") if part.strip()],
        }
        for language, text in texts.items()
    ]
    first = versions[0]
    words = {
        "title": first["paragraphs"][0],
        "versions": versions,
        "sender": profile.name,
        "sender_lines": _lines(profile.address),
        "name": person.name,
        "lines": _lines(person.address) if person.address else [],
        "day": on.strftime(DAYS[str(first["language"])]),
    }
    return page_pdf(render("money/dunning.html", words), render("money/dunning.css", {}))


def _lines(address: Address) -> list[str]:
    return [*address.lines, f"{address.postcode} {address.city}"]
