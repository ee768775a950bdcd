"""Subscribers as commands name them: by their e-mail address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision import edges
from provision.errors import UsageRefused
from provision.registry.models import Subscriber

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def find(session: Session, email: str) -> Subscriber:
    """Return the subscriber with this e-mail address, or raise UsageRefused."""
    checked = edges.email(email)
    found = session.scalar(
        select(Subscriber).where(func.lower(Subscriber.email) == checked).order_by(Subscriber.id)
    )
    if found is None:
        raise UsageRefused(f"Nobody subscribed as {checked}", "See: paquet subscription list")
    return found
