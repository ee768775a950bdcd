"""Time that people give: hours in a commodity of their own, never added to euros.

Contributions volontaires en nature (ANC 2018-06, articles 211-1 and following): 864 against 875.
What an hour is taken for is said apart, with its day, and stays out of the books; but for an hour
that pays an invoice, which is no gift: it is bought (604) for what it is taken for that day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision import edges
from provision.days import sensible_day
from provision.errors import UsageRefused
from provision.money import HOUR, Amount, euros, half_up, show_euros
from provision.subscriptions.commons import in_kind
from provision.subscriptions.commons.in_kind import InKind
from provision.subscriptions.commons.models import HourValue, TimeGiven
from provision.subscriptions.ledger import chart, posting
from provision.subscriptions.ledger.journal import Entry, Line

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.documents.models import Invoice
    from provision.subscriptions.ledger.journal import Moment
    from provision.subscriptions.parties.models import Organisation

HOUR_SECONDS = 3600
LONGEST_GIFT = 24 * 31 * HOUR_SECONDS  # more than a month without sleep is a slip of the pen
LEAST_VALUE, MOST_VALUE = 30_00, 45_00  # cents an hour without VAT: what commons pay (F4, S3:48)


@dataclass(frozen=True)
class HoursWorked:
    """Seconds that somebody (a reference, or "" for nobody in particular) gave, and what for."""

    giver: str
    seconds: int
    purpose: str


def give(
    session: Session, organisation: Organisation, given: HoursWorked, moment: Moment
) -> TimeGiven:
    """Write that time was given to `organisation`, in its books as hours alone."""
    if not 0 < given.seconds <= LONGEST_GIFT:
        raise UsageRefused(
            f"{given.seconds} seconds cannot be given at once",
            "Give a time above zero, and a month at the most.",
        )
    number = _next(session, organisation)
    entry = Entry(
        organisation_id=organisation.id,
        effective_on=moment.on,
        text=f"Bénévolat {number}",
        key=f"time:{number}",
        lines=(
            Line(chart.TIME_GIVEN, Amount(HOUR, given.seconds), given.giver),
            Line(chart.VOLUNTARY_WORK, Amount(HOUR, -given.seconds), given.giver),
        ),
    )
    written = posting.post(session, entry, moment.today)
    time_given = TimeGiven(
        organisation_id=organisation.id,
        number=number,
        giver=given.giver,
        seconds=given.seconds,
        purpose=edges.person_name(given.purpose, "purpose"),
        given_on=moment.on,
        entry_number=written.number,
    )
    session.add(time_given)
    session.flush()
    return time_given


def of(session: Session, organisation: Organisation) -> list[TimeGiven]:
    """Return all time that was given to an organisation, in order."""
    query = select(TimeGiven).where(TimeGiven.organisation_id == organisation.id)
    return list(session.scalars(query.order_by(TimeGiven.number)))


def set_value(session: Session, organisation: Organisation, units: Cents, day: date) -> HourValue:
    """Write what an hour is taken for from `day` on, in cents: 30 to 45 € without VAT."""
    sensible_day(day, "the first day of a value")
    if not LEAST_VALUE <= units <= MOST_VALUE:
        raise UsageRefused(
            f"An hour is not taken for {show_euros(units)}",
            f"Commons pay {show_euros(LEAST_VALUE)} to {show_euros(MOST_VALUE)} an hour.",
        )
    if session.get(HourValue, (organisation.id, day)) is not None:
        raise UsageRefused(
            f"{organisation.name} said what an hour is taken for on {day} already",
            "A value is never rewritten: give the new one its own first day.",
        )
    hour_value = HourValue(organisation_id=organisation.id, valid_from=day, units=units)
    session.add(hour_value)
    session.flush()
    return hour_value


def value(session: Session, time_given: TimeGiven) -> Cents | None:
    """Return what the time is taken for by the value of its day, in cents; None without one."""
    return _worth(session, time_given.organisation_id, time_given.seconds, time_given.given_on)


def pay(session: Session, invoice: Invoice, seconds: int, moment: Moment) -> Cents:
    """Let time that a subscriber worked pay for the invoice, and return its cents.

    The books have the hours, 604 against 809 in their own commodity, beside 604 against 411 in
    euros: the two are never added. Raises UsageRefused where nobody said what an hour is taken
    for, or for more than the lines that are not for euros alone.
    """
    units = _worth(session, invoice.organisation_id, seconds, moment.on)
    if units is None:
        raise UsageRefused(
            f"Nobody said what an hour is taken for on {moment.on}",
            "See: paquet hours value --help",
        )
    payment = InKind(
        kind=in_kind.HOURS,
        name="hours",
        taken=Line(chart.PURCHASED_SERVICES, euros(units)),
        text="Paiement en heures",
        key=in_kind.next_key(session, invoice, in_kind.HOURS),
        beside=(
            Line(chart.PURCHASED_SERVICES, Amount(HOUR, seconds)),
            Line(chart.COUNTERPART, Amount(HOUR, -seconds)),
        ),
    )
    in_kind.pay(session, invoice, payment, moment)
    return units


def _worth(session: Session, organisation_id: int, seconds: int, day: date) -> Cents | None:
    units = session.scalar(
        select(HourValue.units)
        .where(HourValue.organisation_id == organisation_id, HourValue.valid_from <= day)
        .order_by(HourValue.valid_from.desc())
        .limit(1)
    )
    return None if units is None else half_up(seconds * units, HOUR_SECONDS)


def _next(session: Session, organisation: Organisation) -> int:
    last = session.scalar(
        select(func.max(TimeGiven.number)).where(TimeGiven.organisation_id == organisation.id)
    )
    return (last or 0) + 1
