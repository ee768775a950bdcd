"""Persons as commands name them, and the salted references under which the ledger knows them."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

from sqlalchemy import Text, cast, literal, select

from provision import edges
from provision.database import pieces
from provision.errors import UsageRefused
from provision.registry import subscribers
from provision.registry.models import Subscriber
from provision.subscriptions.parties import organisations
from provision.subscriptions.parties.models import PersonReference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import InstrumentedAttribute, Session


SALT_BYTES = 16
ORGANISATION = "organisation-"
REFERENCE_LETTERS = 24  # 96 bits: nobody meets twice
LONGEST_NUMBER = 9


def reference(session: Session, subscriber_id: int) -> str:
    """Return the subscriber's reference, made at its first use.

    Hashes in the journal cover the reference, never the person: when the row with the salt is
    erased, the chain stays valid and the person is gone.
    """
    known = select(PersonReference).where(PersonReference.subscriber_id == subscriber_id)
    person_reference = session.scalar(known)
    if person_reference is not None:
        return person_reference.reference
    person_reference = new_reference(subscriber_id)
    session.add(person_reference)
    session.flush()
    return person_reference.reference


def new_reference(subscriber_id: int) -> PersonReference:
    """Return the row of a reference for who has none yet; the caller adds it."""
    salt = secrets.token_hex(SALT_BYTES)
    return PersonReference(
        reference=salted(subscriber_id, salt), subscriber_id=subscriber_id, salt=salt
    )


def subscriber_of(session: Session, party: str) -> int | None:
    """Return the number of the subscriber whom a reference stands for; None once erased."""
    person_reference = session.get(PersonReference, party)
    return None if person_reference is None else person_reference.subscriber_id


def subscribers_of(session: Session, parties: Sequence[str]) -> dict[str, int]:
    """Return the numbers of the subscribers whom references stand for, as far as one knows."""
    numbers: dict[str, int] = {}
    columns = (PersonReference.reference, PersonReference.subscriber_id)
    for part in pieces(parties):
        known = select(*columns).where(PersonReference.reference.in_(part))
        numbers |= dict(session.execute(known).all())
    return numbers


def salted(subscriber_id: int, salt: str) -> str:
    """Return the reference that this salt gives a subscriber."""
    digest = hashlib.sha256(f"{salt}:{subscriber_id}".encode()).hexdigest()
    return f"person-{digest[:REFERENCE_LETTERS]}"


def organisation_reference(organisation_id: int) -> str:
    """Return the reference of an organisation; who it is is public."""
    return f"{ORGANISATION}{organisation_id}"


def reference_of(number: ColumnElement[int] | InstrumentedAttribute[int]) -> ColumnElement[str]:
    """Return the same reference in a query."""
    return literal(ORGANISATION) + cast(number, Text)


def fund_reference(fund_id: int) -> str:
    """Return the reference of a fund."""
    return f"fund-{fund_id}"


def organisation_of(party: str) -> int | None:
    """Return the number of the organisation that a reference names; None for a person."""
    head, _, number = party.partition("-")
    return int(number) if head == "organisation" else None


def known(session: Session, who: str) -> Subscriber | None:
    """Return the subscriber with this e-mail address, or with this number, or None."""
    typed = who.strip()
    if is_number(typed):
        return session.get(Subscriber, int(typed))
    return subscribers.of_email(session, typed)


def is_number(typed: str) -> bool:
    """Return whether somebody typed the number of a subscriber."""
    return typed.isascii() and typed.isdigit() and len(typed) <= LONGEST_NUMBER


def subscriber_named(session: Session, who: str) -> Subscriber:
    """Return the subscriber with this e-mail address or number, or raise UsageRefused.

    Errors end in terminals, mails and logs: none says who was looked for.
    """
    subscriber = known(session, who)
    if subscriber is None:
        raise nobody()
    if is_erased(subscriber):
        raise UsageRefused("Whoever had this number was erased", "Name somebody else.")
    return subscriber


def nobody() -> UsageRefused:
    """Return the sentence for one whom nobody knows; it does not repeat who was looked for."""
    return UsageRefused(
        "Nobody here has this e-mail address or number",
        "See `paquet subscriber list`; who was erased is there under a number only.",
    )


def mark(subscriber_id: int) -> str:
    """Return what stands where a name was."""
    return f"erased-{subscriber_id}"


def is_erased(subscriber: Subscriber) -> bool:
    """Tell whether the subscriber was erased: a number is left, and a mark for a name."""
    return subscriber.name == mark(subscriber.id)


def called(subscriber: Subscriber) -> str:
    """Return how commands name a subscriber: by e-mail address, or by number without one."""
    return subscriber.email or str(subscriber.id)


def reference_named(session: Session, who: str) -> str:
    """Return the reference of the subscriber of this e-mail address or number."""
    return reference(session, subscriber_named(session, who).id)


def party(session: Session, typed: str) -> str:
    """Return the reference of a subscriber (e-mail address, number) or an organisation (name).

    Other words stay as they are: they may name a group or an office, never a person.
    """
    if "@" in typed or is_number(typed.strip()):
        return reference_named(session, typed)
    words = edges.person_name(typed, "beneficiary")
    for organisation in organisations.everyone(session):
        if organisation.name.casefold() == words.casefold():
            return organisation_reference(organisation.id)
    return words
