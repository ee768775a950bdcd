"""Subscribers who are left in peace for some days, and what is known of those who do not pay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from provision import edges
from provision.days import sensible_day
from provision.errors import UsageRefused
from provision.registry import states
from provision.subscriptions.payments.models import DunningMark, DunningPause, DunningResume

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.registry.models import Subscriber
    from provision.registry.states import Told
    from provision.subscriptions.parties.models import Organisation

NONE, HARDSHIP, FRAUD = "none", "hardship", "fraud"
MARKS = (NONE, HARDSHIP, FRAUD)


def pause(
    session: Session,
    organisation: Organisation,
    subscriber: Subscriber,
    days: tuple[date, date | None],
    when: tuple[date, Told],
) -> DunningPause:
    """Leave a subscriber in peace from a day to a day (or until resumed); the reason is told."""
    (first_day, last_day), (today, told) = days, when
    for day in (first_day, last_day or first_day):
        sensible_day(day, "a day of a pause")
    if last_day is not None and last_day < first_day:
        raise UsageRefused(f"A pause cannot end on {last_day}, before {first_day}")
    dunning_pause = DunningPause(
        organisation_id=organisation.id,
        subscriber_id=subscriber.id,
        first_day=first_day,
        last_day=last_day,
        reason=edges.person_name(told.why, "reason"),
        actor=told.actor,
        recorded_on=today,
    )
    session.add(dunning_pause)
    session.flush()
    states.record(session, f"subscriber:{subscriber.id}", "dunning paused", told)
    return dunning_pause


def resume(
    session: Session, organisation: Organisation, subscriber: Subscriber, from_day: date, told: Told
) -> int:
    """End all pauses of a subscriber on the day before `from_day`; return how many there were."""
    running = [
        dunning_pause
        for dunning_pause, resumed in _pauses(session, organisation.id, subscriber.id)
        if resumed is None
        and (dunning_pause.last_day is None or dunning_pause.last_day >= from_day)
    ]
    if not running:
        raise UsageRefused(
            "Nothing is paused for this subscriber", "See: paquet dunning list ORGANISATION"
        )
    session.add_all(
        DunningResume(pause_id=dunning_pause.id, from_day=from_day, actor=told.actor)
        for dunning_pause in running
    )
    session.flush()
    states.record(session, f"subscriber:{subscriber.id}", "dunning resumed", told)
    return len(running)


def paused(session: Session, organisation_id: int, on: date) -> Mapping[int, str]:
    """Return the reason for each subscriber who is left in peace on a day."""
    return {
        dunning_pause.subscriber_id: dunning_pause.reason
        for dunning_pause, resumed in _pauses(session, organisation_id)
        if dunning_pause.first_day <= on
        and (dunning_pause.last_day is None or on <= dunning_pause.last_day)
        and (resumed is None or on < resumed)
    }


def everyone(session: Session, organisation_id: int) -> list[tuple[DunningPause, date | None]]:
    """Return all pauses of an organisation, each with the day on which it was resumed."""
    return _pauses(session, organisation_id)


def mark(
    session: Session,
    organisation: Organisation,
    subscriber: Subscriber,
    what: str,
    when: tuple[date, Told],
) -> None:
    """Say what is known of a subscriber: in hardship, a fraud, or neither (any more), and why.

    Who is in trouble gets no more than friendly words. A fraud is for a person to judge: no letter
    and no suspension goes out by itself.
    """
    today, told = when
    if what not in MARKS:
        raise UsageRefused(f"{what[:40]!r} is not a mark", f"Use {'|'.join(MARKS)}.")
    session.add(
        DunningMark(
            organisation_id=organisation.id,
            subscriber_id=subscriber.id,
            mark=what,
            reason=edges.person_name(told.why, "reason"),
            actor=told.actor,
            marked_on=today,
        )
    )
    session.flush()
    states.record(session, f"subscriber:{subscriber.id}", f"marked {what}", told)


def marks(session: Session, organisation_id: int) -> Mapping[int, str]:
    """Return the newest mark of each subscriber who has one that says something."""
    rows = session.scalars(
        select(DunningMark)
        .where(DunningMark.organisation_id == organisation_id)
        .order_by(DunningMark.id)
    )
    newest = {row.subscriber_id: row.mark for row in rows}
    return {subscriber_id: what for subscriber_id, what in newest.items() if what != NONE}


def _pauses(
    session: Session, organisation_id: int, subscriber_id: int | None = None
) -> list[tuple[DunningPause, date | None]]:
    query = (
        select(DunningPause, DunningResume.from_day)
        .outerjoin(DunningResume, DunningResume.pause_id == DunningPause.id)
        .where(DunningPause.organisation_id == organisation_id)
        .order_by(DunningPause.id)
    )
    if subscriber_id is not None:
        query = query.where(DunningPause.subscriber_id == subscriber_id)
    return [(dunning_pause, resumed) for dunning_pause, resumed in session.execute(query)]
