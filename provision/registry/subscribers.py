"""Who subscribed, found by what is known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.registry.models import Subscriber

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def of_email(session: Session, email: str) -> Subscriber | None:
    """Return the subscriber with this e-mail address, typed in whichever capitals, or None.

    All that are kept are in lower case, as `edges.email` returns them: the index is asked.
    """
    return session.scalar(select(Subscriber).where(Subscriber.email == email.strip().lower()))
