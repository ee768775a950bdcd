"""The states of things, and the event that every change of state leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import select

from provision.database import insert_many
from provision.errors import PaquetError
from provision.registry.models import Event

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

ORDER: Mapping[str, frozenset[str]] = {
    "placed": frozenset({"provisioning", "cancelled"}),
    "provisioning": frozenset({"delivered", "failed", "provisioning"}),
    "failed": frozenset({"provisioning", "cancelled"}),
    "delivered": frozenset(),
    "cancelled": frozenset(),
}
BUNDLE: Mapping[str, frozenset[str]] = {
    "active": frozenset({"suspended", "closed"}),
    "suspended": frozenset({"active", "closed"}),
    "closed": frozenset({"erased"}),
    "erased": frozenset(),
}
ERASING = "erasing began"  # of a closed bundle: there is no way back, and it can be gone halfway
DEVICE: Mapping[str, frozenset[str]] = {
    "enrolled": frozenset({"revoked"}),
    "revoked": frozenset(),
}


class HasState(Protocol):
    """A row with a state."""

    state: str


@dataclass(frozen=True)
class Told:
    """Who did something, when and why, for the event row."""

    actor: str
    at: datetime
    why: str = ""


def change_state(
    session: Session,
    thing: HasState,
    states: Mapping[str, frozenset[str]],
    to: str,
    *,
    told: tuple[str, Told],
) -> None:
    """Move `thing` to the state `to` and leave an event under the subject `told[0]`."""
    subject, who = told
    if to not in states[thing.state]:
        raise PaquetError(f"{subject} is {thing.state} and cannot become {to}")
    record(session, subject, f"{thing.state} → {to}", who)
    thing.state = to


def record(session: Session, subject: str, what: str, told: Told) -> None:
    """Add an event: `subject` is `order:12`, `bundle:b7f3k2m9q`, `device:…`, `server:…`."""
    session.add(Event(at=told.at, actor=told.actor, subject=subject, what=what, why=told.why))


def record_all(session: Session, events: Iterable[tuple[str, str]], told: Told) -> None:
    """Add many events at once: pairs of a subject and what became of it."""
    rows = [
        {"at": told.at, "actor": told.actor, "subject": subject, "what": what, "why": told.why}
        for subject, what in events
    ]
    insert_many(session, Event, rows)


def is_erasing(session: Session, bundle: str) -> bool:
    """Tell whether the erasing of the bundle of this name began, whether or not it is over."""
    began = select(Event.id).where(Event.subject == f"bundle:{bundle}", Event.what == ERASING)
    return session.scalar(began.limit(1)) is not None
