"""What the bank said, as it lies in the registry: statements and their movements."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision.errors import UsageRefused
from provision.formats.bank.statements import Detail, Movement
from provision.subscriptions.payments.models import (
    PARKED,
    BankMovement,
    BankStatement,
    MovementBooking,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def statements(session: Session, organisation_id: int) -> list[BankStatement]:
    """Return the statements of an organisation, the latest first."""
    return list(
        session.scalars(
            select(BankStatement)
            .where(BankStatement.organisation_id == organisation_id)
            .order_by(BankStatement.id.desc())
        )
    )


def get(session: Session, organisation_id: int, number: int) -> BankMovement:
    """Return the movement of this number, or raise UsageRefused."""
    movement = session.get(BankMovement, number)
    if movement is None or movement.organisation_id != organisation_id:
        raise UsageRefused(
            f"There is no movement {number}", "See: paquet payment reconcile ORGANISATION"
        )
    return movement


def of_statement(session: Session, organisation_id: int, statement_id: int) -> list[BankMovement]:
    """Return the movements of a statement, as the bank lists them."""
    return list(
        session.scalars(
            select(BankMovement)
            .where(
                BankMovement.organisation_id == organisation_id,
                BankMovement.statement_id == statement_id,
            )
            .order_by(BankMovement.position)
        )
    )


def unexplained(session: Session, organisation_id: int) -> list[tuple[BankMovement, bool]]:
    """Return the movements that are not booked, or (True) parked, in the order of the bank."""
    last = (
        select(MovementBooking.movement_id, func.max(MovementBooking.position).label("position"))
        .group_by(MovementBooking.movement_id)
        .subquery()
    )
    rows = session.execute(
        select(BankMovement, MovementBooking.kind)
        .outerjoin(last, last.c.movement_id == BankMovement.id)
        .outerjoin(
            MovementBooking,
            (MovementBooking.movement_id == last.c.movement_id)
            & (MovementBooking.position == last.c.position),
        )
        .where(
            BankMovement.organisation_id == organisation_id,
            BankMovement.units != 0,
            MovementBooking.kind.is_(None) | (MovementBooking.kind == PARKED),
        )
        .order_by(BankMovement.statement_id, BankMovement.position)
    )
    return [(row, kind == PARKED) for row, kind in rows]


def read(row: BankMovement) -> Movement:
    """Return all that the bank said of a movement."""
    kept = json.loads(row.content)
    kept["details"] = tuple(Detail(**detail) for detail in kept["details"])
    for name in ("booked_on", "value_on"):
        kept[name] = date.fromisoformat(kept[name]) if kept[name] else None
    return Movement(**kept)
