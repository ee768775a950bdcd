"""Who writes to whom, and in which words: letters of each kind, from what the rooms know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.database import pieces
from provision.errors import PaquetError
from provision.formats.codes import countries
from provision.formats.facturx import wording
from provision.languages import spoken
from provision.money import show_euros
from provision.post.outbox import Correspondent, Enclosed, NewLetter, Recipient
from provision.registry.models import Subscriber
from provision.rendering import render
from provision.subscriptions.documents import numbering
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.parties import identities, profiles
from provision.subscriptions.parties.models import Identity, Organisation
from provision.subscriptions.privacy.models import Erasure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.settings import Settings
    from provision.subscriptions.parties.profiles import Address

INVOICE, DEBIT, REMINDER = "invoice", "debit", "reminder"
RENEWAL, RECEIPT, WELCOME = "renewal", "receipt", "welcome"
HOME = "FR"


@dataclass
class Writers:
    """Who writes on a day: an organisation as it describes itself, else the operator."""

    session: Session
    settings: Settings
    today: date
    known: dict[int, Correspondent] = field(default_factory=dict)

    @property
    def operator(self) -> Correspondent:
        """Whoever runs this machine."""
        settings = self.settings
        return Correspondent(
            settings.post.name or settings.operator.name, settings.operator.contact
        )

    def of(self, organisation_id: int) -> Correspondent:
        """Return an organisation as its letters show it."""
        if organisation_id not in self.known:
            profile = profiles.on(self.session, organisation_id, self.today)
            self.known[organisation_id] = (
                Correspondent(
                    profile.name, profile.email, _lines(profile.address, "fr"), organisation_id
                )
                if profile
                else self._undescribed(organisation_id)
            )
        return self.known[organisation_id]

    def _undescribed(self, organisation_id: int) -> Correspondent:
        name = self.session.get_one(Organisation, organisation_id).name
        return Correspondent(name, self.settings.operator.contact, "", organisation_id)


def recipients(session: Session, numbers: Iterable[int]) -> dict[int, Recipient]:
    """Return how subscribers are written to today, by number; who was erased is not in it."""
    wanted = sorted(set(numbers))
    people: dict[int, Recipient] = {}
    for part in pieces(wanted):
        known = select(Identity.subscriber_id, Identity.content).where(
            Identity.subscriber_id.in_(part)
        )
        newest = dict(session.execute(known.order_by(Identity.id)).all())
        subscribers = select(Subscriber).where(
            Subscriber.id.in_(part), Subscriber.id.not_in(select(Erasure.subscriber_id))
        )
        people |= {
            subscriber.id: _recipient(subscriber, newest.get(subscriber.id))
            for subscriber in session.scalars(subscribers)
        }
    return people


def _recipient(subscriber: Subscriber, content: str | None) -> Recipient:
    person = identities.parse(content) if content else None
    language = spoken(subscriber.language)
    address = person.address if person else None
    return Recipient(
        name=person.name if person else subscriber.name,
        email=subscriber.email or None,
        language=language,
        address=_lines(address, language) if address else "",
        postcode=address.postcode if address else "",
        subscriber_id=subscriber.id,
    )


def _lines(address: Address, language: str) -> str:
    lines = [*address.lines, f"{address.postcode} {address.city}"]
    if address.country != HOME:
        lines.append(countries.name(address.country, language))
    return "\n".join(lines)


@dataclass(frozen=True)
class IssuedDocument:
    """An invoice, a deposit or a credit note, as far as a letter speaks of it."""

    number: Number
    kind: str
    issued_on: date
    due_on: date
    gross: int
    subscriber_id: int


def reference(number: Number) -> str:
    """Return how letters refer to a document: `invoice:3:F2026-000012`."""
    return f"{INVOICE}:{number.organisation_id}:{number.shown}"


def document_of(reference: str) -> Number:
    """Return the document that `invoice:3:F2026-000012` is. Raises PaquetError for another word."""
    kind, organisation, shown = reference.split(":")
    if kind != INVOICE:
        raise PaquetError(f"Nobody knows how to enclose {reference}")
    return Number(int(organisation), *numbering.parse(shown))


def of_document(
    document: IssuedDocument, sender: Correspondent, to: Recipient, today: date
) -> NewLetter:
    """Return the letter with which a document goes; its PDF is made when it leaves."""
    language = spoken(to.language)
    words = {
        "kind": document.kind,
        "number": document.number.shown,
        "amount": show_euros(document.gross, language),
        "issued": wording.day(document.issued_on, language),
        "due": wording.day(document.due_on, language),
    }
    key = reference(document.number)
    enclosed = Enclosed(f"{document.number.shown}.pdf", key)
    return _letter((key, INVOICE, "document"), (sender, to), today, words, (enclosed,))


@dataclass(frozen=True)
class Welcomed:
    """A delivered order, as far as a letter speaks of it."""

    order_id: int
    domain: str
    host: str
    address: str


def of_order(welcomed: Welcomed, sender: Correspondent, to: Recipient, today: date) -> NewLetter:
    """Return the letter that says that a bundle is ready; no secret is in it."""
    words = {"domain": welcomed.domain, "host": welcomed.host, "address": welcomed.address}
    key = f"{WELCOME}:{welcomed.order_id}"
    return _letter((key, WELCOME, WELCOME), (sender, to), today, words)


@dataclass(frozen=True)
class ReceiptOriginal:
    """The original of a receipt that was drawn to be handed out."""

    organisation_id: int
    kind: str
    number: str
    units: Cents
    received_on: date
    pdf: bytes


def of_receipt(
    original: ReceiptOriginal, sender: Correspondent, to: Recipient, today: date
) -> NewLetter:
    """Return the letter with which a receipt goes; the original is kept with it."""
    language = spoken(to.language)
    words = {
        "kind": original.kind,
        "number": original.number,
        "amount": show_euros(original.units, language),
        "received": wording.day(original.received_on, language),
    }
    key = f"{RECEIPT}:{original.organisation_id}:{original.number}"
    enclosed = Enclosed(f"{original.number}.pdf", content=original.pdf)
    return _letter((key, RECEIPT, RECEIPT), (sender, to), today, words, (enclosed,))


def _letter(
    what: tuple[str, str, str],
    between: tuple[Correspondent, Recipient],
    today: date,
    words: Mapping[str, object],
    enclosed: tuple[Enclosed, ...] = (),
) -> NewLetter:
    (key, kind, template), (sender, to) = what, between
    said = {"name": to.name, "sender": sender.name, "contact": sender.reply_to, **words}
    text = render(f"post/{template}.{spoken(to.language)}.txt", said)
    subject, _, body = text.partition("\n")
    return NewLetter(key, kind, today, sender, to, subject, body.strip() + "\n", enclosed=enclosed)
