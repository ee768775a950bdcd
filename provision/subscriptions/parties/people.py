"""The salted references under which the ledger knows persons, so that it can forget them."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

from sqlalchemy import Text, cast, literal, select

from provision.subscriptions.ledger.models import PersonReference

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
