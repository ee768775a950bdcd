"""Movements of the bank into the ledger: each once, against what explains it.

A movement is booked as D 512 (money in) or C 512 (money out) and lines that balance it. What
nobody can explain yet is parked on 471; explained later, its second entry takes it from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.errors import UsageRefused
from provision.money import EUR, Amount
from provision.subscriptions.ledger import chart, journal, posting
from provision.subscriptions.ledger.journal import Entry, Line
from provision.subscriptions.payments.models import PARKED, BankStatement, MovementBooking

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.payments.models import BankMovement

FEE = "fee"


@dataclass(frozen=True)
class Booking:
    """What explains a movement: `lines` add up to it, with the other sign. `text` names nobody."""

    kind: str
    text: str
    lines: tuple[Line, ...]
    why: str = ""


def line(account: str, units: Cents, party: str = "") -> Line:
    """Return a line in euros."""
    return Line(account, Amount(EUR, units), party)


def check_free(session: Session, row: BankMovement) -> MovementBooking | None:
    """Return the booking of a parked movement, or None; refuse one that is explained."""
    last = session.scalar(
        select(MovementBooking)
        .where(MovementBooking.movement_id == row.id)
        .order_by(MovementBooking.position.desc())
        .limit(1)
    )
    if last is not None and last.kind != PARKED:
        raise UsageRefused(
            f"Movement {row.id} is booked already, as {last.kind}",
            f"See entry {last.entry_number} of the journal.",
        )
    return last


def book(session: Session, row: BankMovement, booking: Booking, today: date) -> int:
    """Write the entry that explains a movement, and return its number."""
    parked = check_free(session, row)
    position = 1 if parked is None else parked.position + 1
    account = chart.BANK if parked is None else chart.UNEXPLAINED
    statement = session.get_one(BankStatement, row.statement_id)
    entry = Entry(
        organisation_id=row.organisation_id,
        effective_on=open_day(session, row.organisation_id, row.booked_on),
        text=booking.text,
        key=f"movement:{row.id}:{position}",
        lines=(line(account, row.units), *booking.lines),
        journal=journal.BANK,
        piece=f"R{statement.id}-{row.position}",
        evidence=statement.digest,
    )
    number = posting.post(session, entry, today).number
    session.add(
        MovementBooking(
            movement_id=row.id,
            position=position,
            organisation_id=row.organisation_id,
            kind=booking.kind,
            why=booking.why,
            entry_number=number,
            booked_on=today,
        )
    )
    session.flush()
    return number


def park(session: Session, row: BankMovement, why: str, today: date) -> int:
    """Put a movement that nobody can explain yet on 471, with what is known of it."""
    if check_free(session, row) is not None:
        raise UsageRefused(f"Movement {row.id} is parked already", "Explain it when you can.")
    lines = (line(chart.UNEXPLAINED, -row.units),)
    return book(session, row, Booking(PARKED, f"Mouvement {row.id} à expliquer", lines, why), today)


def fee(session: Session, row: BankMovement, why: str, today: date) -> int:
    """Book what the bank took for its services (627), or gave back of it."""
    lines = (line(chart.BANK_FEES, -row.units),)
    return book(session, row, Booking(FEE, "Frais bancaires", lines, why), today)


def open_day(session: Session, organisation_id: int, wanted: date) -> date:
    """Return `wanted`, or the first day after it whose period is not closed."""
    closed = posting.closed_to(session, organisation_id)
    return wanted if closed is None or wanted > closed else closed + timedelta(days=1)
