"""Who subscribed: written down, and found by what is known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from provision import edges
from provision.errors import UsageRefused
from provision.registry.models import Subscriber

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.registry.states import Told


def of_email(session: Session, email: str) -> Subscriber | None:
    """Return the subscriber with this e-mail address, typed in whichever capitals, or None.

    All that are kept are in lower case, as `edges.email` returns them: the index is asked.
    """
    return session.scalar(select(Subscriber).where(Subscriber.email == email.strip().lower()))


def add(session: Session, name: str, email: str, *, language: str, told: Told) -> Subscriber:
    """Write somebody new down; `email` is '' for who has none. Raises UsageRefused for a mistake.

    The sentence does not repeat the address: errors end in terminals, mails and logs.
    """
    subscriber = new(name, free(session, email) if email else "", language=language, told=told)
    session.add(subscriber)
    session.flush()
    return subscriber


def new(name: str, email: str, *, language: str, told: Told) -> Subscriber:
    """Return the row of somebody new, whose address nobody has; the caller adds it."""
    return Subscriber(
        name=edges.person_name(name),
        email=edges.email(email) if email else "",
        language=language,
        created_at=told.at,
    )


def free(session: Session, typed: str) -> str:
    """Return an e-mail address that nobody has yet, or raise UsageRefused."""
    email = edges.email(typed)
    taken = of_email(session, email)
    if taken is not None:
        raise UsageRefused(
            f"Subscriber {taken.id} has this e-mail address already",
            f"See: paquet subscriber show {taken.id}",
        )
    return email
