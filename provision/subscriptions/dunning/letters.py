"""Letters to those who have not paid: text for e-mail, and a page of paper for a formal notice.

A customer gets one a day, in the one language that is theirs: the strongest step that was reached
speaks, and every invoice that was ever reminded of is named.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.formats.facturx import mentions
from provision.formats.facturx.invoice import USUAL_PENALTIES
from provision.money import show_euros
from provision.paper import page_pdf
from provision.rendering import render
from provision.subscriptions.dunning import penalties, policy
from provision.subscriptions.parties import payment_links

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from provision.money import Cents
    from provision.subscriptions.dunning.reminders import Reminder
    from provision.subscriptions.parties.identities import Person
    from provision.subscriptions.parties.profiles import Address, Profile

COMPANY = "company"
DAYS = {"fr": "%d/%m/%Y", "en": "%d %B %Y"}


@dataclass(frozen=True)
class ReminderLetter:
    """One letter: its file name, its step, its text, its page as PDF or b'', what it asks for."""

    name: str
    step: str
    text: str
    units: Cents
    pdf: bytes = b""

    @property
    def subject(self) -> str:
        """The first line of the text."""
        return self.text.partition("\n")[0]

    @property
    def digest(self) -> str:
        """The SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class Demand:
    """What is asked for an invoice: `interest` is None where nobody knows it, 0 where none is."""

    reminder: Reminder
    late: int
    indemnity: Cents
    interest: Cents | None

    @property
    def units(self) -> Cents:
        """All of it, in cents."""
        return self.reminder.document.units + self.indemnity + (self.interest or 0)


def write(
    to: tuple[Sequence[Reminder], Person],
    profile: Profile,
    on: date,
    export_until: date | None = None,
) -> ReminderLetter:
    """Return the letter about these reminders, of which at least one is not of `before`.

    `export_until` is the last day to take everything along, where that is known.
    """
    reminders, person = to
    strongest = speaking(reminders)
    claims = [_claim(reminder, profile, on) for reminder in reminders]
    words = {
        **_words(claims, strongest, person.language),
        "name": person.name,
        "penalties": mentions.penalties(profile.penalties, person.language),
        "until": _day(export_until, on, person.language),
        "iban": profile.iban,
        "links": _links(claims, profile),
        "contact": profile.email,
        "sender": profile.name,
    }
    text = render(f"money/dunning.{person.language}.txt", words)
    return ReminderLetter(
        name=f"{strongest.document.shown}-{strongest.step}-{on}",
        step=strongest.step,
        text=text,
        units=sum(demand.units for demand in claims),
        pdf=_page(text, person, profile, on) if strongest.step == policy.FORMAL else b"",
    )


def speaking(reminders: Sequence[Reminder]) -> Reminder:
    """Return the reminder whose step a letter is about: the strongest of today, the oldest."""
    return max(
        (reminder for reminder in reminders if not reminder.before),
        key=lambda reminder: _rank(reminder.step),
    )


def _rank(step: str) -> int:
    return policy.STEPS.index(step)


def _words(claims: Sequence[Demand], strongest: Reminder, language: str) -> dict[str, object]:
    days = DAYS[language]
    coming = [demand.reminder.then for demand in claims if demand.reminder.then]
    following = min(
        coming, key=lambda next_step: (-_rank(next_step[0]), next_step[1]), default=None
    )
    return {
        "step": strongest.step,
        "invoices": [_invoice(demand, language) for demand in claims],
        "total": show_euros(sum(demand.units for demand in claims), language),
        "following": following and {"step": following[0], "day": following[1].strftime(days)},
        "indemnity": show_euros(penalties.INDEMNITY, language),
        "late_companies": any(demand.indemnity for demand in claims),
        "more_interest": any(demand.interest is None for demand in claims),
    }


def _invoice(demand: Demand, language: str) -> dict[str, object]:
    document = demand.reminder.document
    return {
        "number": document.shown,
        "due": document.due_on.strftime(DAYS[language]),
        "late": demand.late,
        "open": show_euros(document.units, language),
        "interest": show_euros(demand.interest, language) if demand.interest else "",
        "indemnity": show_euros(demand.indemnity, language) if demand.indemnity else "",
    }


def _links(claims: Sequence[Demand], profile: Profile) -> list[dict[str, str]]:
    """Return where what is open on each invoice can be paid by card; nothing where nobody said."""
    documents = [demand.reminder.document for demand in claims if profile.payment_link]
    return [
        {
            "number": document.shown,
            "address": payment_links.link(profile.payment_link, document.shown, document.units),
        }
        for document in documents
    ]


def _claim(reminder: Reminder, profile: Profile, on: date) -> Demand:
    late = (on - reminder.document.due_on).days
    if reminder.person is None or reminder.person.kind != COMPANY:
        return Demand(reminder, late, 0, 0)
    return Demand(reminder, late, penalties.INDEMNITY, _interest(reminder, profile, on))


def _day(export_until: date | None, on: date, language: str) -> str:
    """Return the day as the letter says it, or '' where it is over, or not known."""
    return export_until.strftime(DAYS[language]) if export_until and export_until >= on else ""


def _interest(reminder: Reminder, profile: Profile, on: date) -> Cents | None:
    """Return the interest so far; None where terms are not the usual ones, or no rate is known."""
    if profile.penalties != USUAL_PENALTIES:
        return None
    try:
        return penalties.interest(reminder.document.units, reminder.document.due_on, on)
    except PaquetError:
        return None


def _page(text: str, person: Person, profile: Profile, on: date) -> bytes:
    title, *paragraphs = [part.strip() for part in text.split("\n\n") if part.strip()]
    words = {
        "language": person.language,
        "title": title,
        "paragraphs": paragraphs,
        "sender": profile.name,
        "sender_lines": _lines(profile.address),
        "name": person.name,
        "lines": _lines(person.address) if person.address else [],
        "day": on.strftime(DAYS[person.language]),
    }
    return page_pdf(render("money/dunning.html", words), render("money/dunning.css", {}))


def _lines(address: Address) -> list[str]:
    return [*address.lines, f"{address.postcode} {address.city}"]
