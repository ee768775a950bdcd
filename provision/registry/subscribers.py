"""Who subscribed, found by what is known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision.registry.models import Subscriber

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def of_email(session: Session, email: str) -> Subscriber | None:
    """Return the subscriber with this e-mail address, in whichever capitals, or None."""
    same = func.lower(Subscriber.email) == email.strip().lower()
    return session.scalar(select(Subscriber).where(same).order_by(Subscriber.id))
