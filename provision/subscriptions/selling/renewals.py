"""Tell consumers in time that a yearly term renews itself, and know whom nobody told.

Source: Code de la consommation, L215-1: a dedicated letter or e-mail, at the earliest three months
and at the latest one month before the last day on which the renewal can be refused, says so with
that day in a visible frame. L215-3 gives associations the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from dateutil.relativedelta import relativedelta
from sqlalchemy import select

from provision.days import sensible_day
from provision.subscriptions.offers.catalogue import Catalogue
from provision.subscriptions.offers.terms import YEARLY, Term, term_of
from provision.subscriptions.offers.vat import NET
from provision.subscriptions.parties import identities
from provision.subscriptions.selling import charges, remainders
from provision.subscriptions.selling.models import RenewalNotice, Subscription, SubscriptionVersion
from provision.subscriptions.selling.opening import ACTIVE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.selling.due import Version

EARLIEST, LATEST = relativedelta(months=3), relativedelta(months=1)
PROTECTED = ("person", "non-profit")
DUE, LATE = "to be sent", "not sent in time"


@dataclass(frozen=True)
class Renewal:
    """A yearly term that begins on `starts` unless the subscriber says no by `deadline`."""

    subscription: Subscription
    term: Term
    units: Cents
    without_vat: bool
    state: str

    @property
    def deadline(self) -> date:
        """The last day on which the renewal can be refused."""
        return self.term.starts - timedelta(days=1)


def window(deadline: date) -> Term:
    """Return the days on which a renewal can be announced in time, months by the calendar."""
    last = deadline - LATEST
    return Term(deadline - EARLIEST, last + timedelta(days=1))


def coming(session: Session, on: date) -> list[Renewal]:
    """Return the renewals to announce `on` a day, and those that nobody announced in time."""
    sensible_day(on, "the day of a letter")
    running = (
        select(Subscription)
        .where(
            Subscription.state == ACTIVE,
            Subscription.last_day.is_(None),
            Subscription.versions.any(SubscriptionVersion.period == YEARLY),
        )
        .order_by(Subscription.id)
    )
    return [
        renewal
        for subscription in session.scalars(running)
        for renewal in _of(session, subscription, on)
        if renewal.state
    ]


def record(session: Session, renewal: Renewal, on: date) -> RenewalNotice:
    """Write that the letter was sent `on` a day."""
    notice = RenewalNotice(
        subscription_id=renewal.subscription.id,
        deadline=renewal.deadline,
        sent_on=on,
        units=renewal.units,
    )
    session.add(notice)
    session.flush()
    return notice


def unannounced(session: Session, subscription: Subscription, day: date) -> bool:
    """Tell whether the yearly term of `day` renewed itself and its consumer was not told in time.

    Then the subscriber may end it on any day, free of charge.
    """
    due = charges.due_of(session, subscription)
    version = due.version_on(day)
    if not _renews(session, subscription, version, day):
        return False
    term = term_of(version.anchor_day, version.period, day)
    if term.starts == version.anchor_day:
        return False
    return not _told(session, subscription, term.starts - timedelta(days=1))


def _of(session: Session, subscription: Subscription, on: date) -> Iterator[Renewal]:
    due = charges.due_of(session, subscription)
    version = due.version_on(on)
    if not _renews(session, subscription, version, on):
        return
    starts = term_of(version.anchor_day, version.period, on).until
    then = due.version_on(starts)
    if then.anchor_day != version.anchor_day:
        return
    catalogue = Catalogue(session)
    term = term_of(then.anchor_day, then.period, starts)
    renewal = Renewal(
        subscription=subscription,
        term=term,
        units=sum(line.units for line in remainders.charged(due, term, catalogue)),
        without_vat=catalogue.plan(then.plan_id).basis == NET,
        state="",
    )
    if not _told(session, subscription, renewal.deadline):
        yield replace(renewal, state=_state(renewal.deadline, on))


def _state(deadline: date, on: date) -> str:
    days = window(deadline)
    if on < days.starts:
        return ""
    return DUE if on < days.until else LATE


def _told(session: Session, subscription: Subscription, deadline: date) -> bool:
    notice = session.get(RenewalNotice, (subscription.id, deadline))
    days = window(deadline)
    return notice is not None and days.starts <= notice.sent_on < days.until


def _renews(session: Session, subscription: Subscription, version: Version, day: date) -> bool:
    """Tell whether `day` lies in a yearly term of a consumer or a non-profit.

    Who is not known is taken for a consumer.
    """
    if version.period != YEARLY or day < version.anchor_day:
        return False
    there = identities.current(session, subscription.subscriber_id)
    return there is None or identities.read(there).kind in PROTECTED
