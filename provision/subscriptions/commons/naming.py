"""Who gives or gets something, as the books may know it: a reference wherever there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision import edges
from provision.errors import UsageRefused
from provision.registry.models import Subscriber
from provision.subscriptions.parties import organisations, people

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def party(session: Session, typed: str) -> str:
    """Return the reference of a subscriber (by e-mail address) or of an organisation (by name).

    Other words stay as they are: they may name a group or an office, never a person.
    """
    if "@" in typed:
        return subscriber(session, typed)
    words = edges.person_name(typed, "beneficiary")
    for one in organisations.everyone(session):
        if one.name.casefold() == words.casefold():
            return people.organisation_reference(one.id)
    return words


def subscriber(session: Session, email: str) -> str:
    """Return the reference of the subscriber of this e-mail address, or raise UsageRefused."""
    wanted = edges.email(email)
    found = session.scalar(select(Subscriber.id).where(func.lower(Subscriber.email) == wanted))
    if found is None:
        raise UsageRefused(f"There is no subscriber {wanted}", "See: paquet subscription list")
    return people.reference(session, found)
