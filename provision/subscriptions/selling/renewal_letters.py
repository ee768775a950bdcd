"""The letter that announces in time that a yearly term renews itself (L215-1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision import money
from provision.formats.facturx import wording
from provision.languages import spoken
from provision.rendering import render
from provision.subscriptions.offers.catalogue import Catalogue
from provision.subscriptions.parties import identities, profiles
from provision.subscriptions.selling import charges, opening

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.subscriptions.selling.due import Due
    from provision.subscriptions.selling.renewals import Renewal


@dataclass(frozen=True)
class RenewalLetter:
    """One e-mail or letter: its subject on one line, and its body as text and as a page."""

    subject: str
    text: str
    html: str


def letter(session: Session, renewal: Renewal, on: date) -> RenewalLetter:
    """Return what tells the subscriber of a renewal, in their language."""
    words = _words(session, renewal, on)
    language = words["language"]
    return RenewalLetter(
        render(f"money/renewal.subject.{language}.txt", words).strip(),
        render(f"money/renewal.{language}.txt", words),
        render("money/renewal.html", words),
    )


def _words(session: Session, renewal: Renewal, on: date) -> dict[str, object]:
    subscription = renewal.subscription
    language = spoken(subscription.subscriber.language)
    due: Due = charges.due_of(session, subscription)
    plan = Catalogue(session).plan(due.version_on(renewal.term.starts).plan_id)
    seller = opening.contract_on(subscription, renewal.term.starts).seller
    profile = profiles.needed(session, seller, on)
    known = identities.current(session, subscription.subscriber_id)
    return {
        "language": language,
        "name": identities.read(known).name if known else subscription.subscriber.name,
        "number": subscription.id,
        "plan": plan.name_fr if language == "fr" else plan.name_en,
        "amount": money.show_euros(renewal.units, language),
        "without_vat": renewal.without_vat,
        "deadline": wording.day(renewal.deadline, language),
        "starts": wording.day(renewal.term.starts, language),
        "seller": profile.name,
        "contact": profile.email,
        "today": wording.day(on, language),
    }
