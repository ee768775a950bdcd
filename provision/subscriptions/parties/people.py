"""Persons as commands name them, and the salted references under which the ledger knows them."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

from sqlalchemy import Text, cast, func, literal, select

from provision import edges
from provision.errors import UsageRefused
from provision.registry.models import Subscriber
from provision.subscriptions.parties import organisations
from provision.subscriptions.parties.models import PersonReference

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import InstrumentedAttribute, Session


SALT_BYTES = 16
ORGANISATION = "organisation-"
REFERENCE_LETTERS = 24  # 96 bits: nobody meets twice


def reference(session: Session, subscriber_id: int) -> str:
    """Return the subscriber's reference, made at its first use.

    Hashes in the journal cover the reference, never the person: when the row with the salt is
    erased, the chain stays valid and the person is gone.
    """
    known = select(PersonReference).where(PersonReference.subscriber_id == subscriber_id)
    found = session.scalar(known)
    if found is not None:
        return found.reference
    salt = secrets.token_hex(SALT_BYTES)
    made = PersonReference(
        reference=salted(subscriber_id, salt), subscriber_id=subscriber_id, salt=salt
    )
    session.add(made)
    session.flush()
    return made.reference


def subscriber_of(session: Session, party: str) -> int | None:
    """Return the number of the subscriber whom a reference stands for; None once erased."""
    found = session.get(PersonReference, party)
    return None if found is None else found.subscriber_id


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


def subscriber_named(session: Session, email: str) -> Subscriber:
    """Return the subscriber with this e-mail address, or raise UsageRefused."""
    checked = edges.email(email)
    found = session.scalar(
        select(Subscriber).where(func.lower(Subscriber.email) == checked).order_by(Subscriber.id)
    )
    if found is None:
        raise UsageRefused(f"Nobody subscribed as {checked}", "See: paquet subscription list")
    return found


def party(session: Session, typed: str) -> str:
    """Return the reference of a subscriber (by e-mail address) or of an organisation (by name).

    Other words stay as they are: they may name a group or an office, never a person.
    """
    if "@" in typed:
        return subscriber(session, typed)
    words = edges.person_name(typed, "beneficiary")
    for one in organisations.everyone(session):
        if one.name.casefold() == words.casefold():
            return organisation_reference(one.id)
    return words


def subscriber(session: Session, email: str) -> str:
    """Return the reference of the subscriber of this e-mail address, or raise UsageRefused."""
    wanted = edges.email(email)
    found = session.scalar(select(Subscriber.id).where(func.lower(Subscriber.email) == wanted))
    if found is None:
        raise UsageRefused(f"There is no subscriber {wanted}", "See: paquet subscription list")
    return reference(session, found)
