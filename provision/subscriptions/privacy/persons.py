"""Subscribers as people look for them: by e-mail address, or by number, also once erased."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision.registry.models import Bundle, Subscriber
from provision.subscriptions.parties import people
from provision.subscriptions.privacy import erasing
from provision.subscriptions.privacy.models import Erasure
from provision.subscriptions.selling.models import Subscription

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import InstrumentedAttribute, Session

    from provision.database import Row


def find(session: Session, who: str) -> Subscriber:
    """Return the subscriber of this e-mail address or number, erased or not, or raise."""
    subscriber = people.known(session, who)
    if subscriber is None:
        raise people.nobody()
    return subscriber


def listing(session: Session) -> list[Row]:
    """Return one row per subscriber; the erased ones have a mark for a name."""
    bundles = _counted(session, Bundle.subscriber_id, Bundle.state != "erased")
    running = _counted(session, Subscription.subscriber_id, Subscription.state != "ended")
    erased = {
        erasure.subscriber_id: erasure.erased_on for erasure in session.scalars(select(Erasure))
    }
    return [
        {
            "number": subscriber.id,
            "name": subscriber.name,
            "email": subscriber.email,
            "since": f"{subscriber.created_at:%Y-%m-%d}",
            "bundles": bundles.get(subscriber.id, 0),
            "subscriptions": running.get(subscriber.id, 0),
            "erased_on": erased[subscriber.id].isoformat() if subscriber.id in erased else "",
        }
        for subscriber in session.scalars(select(Subscriber).order_by(Subscriber.id))
    ]


def described(session: Session, subscriber: Subscriber, today: date) -> Row:
    """Return what is known of one subscriber in short, and what stands in the way of erasing it."""
    planned = erasing.look(session, subscriber, today)
    return {
        "number": subscriber.id,
        "name": subscriber.name,
        "email": subscriber.email,
        "language": subscriber.language,
        "since": f"{subscriber.created_at:%Y-%m-%d}",
        "rows": ", ".join(f"{name} {count}" for name, (_fate, count) in planned.rows.items()),
        "cannot_be_erased": "; ".join(obstacle.what for obstacle in planned.obstacles),
    }


def _counted(
    session: Session, owner: InstrumentedAttribute[int], wanted: ColumnElement[bool]
) -> dict[int, int]:
    query = select(owner, func.count()).where(wanted).group_by(owner)
    return dict(session.execute(query).all())
