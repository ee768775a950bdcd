"""How far a settlement is, and what it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.subscriptions.documents.models import SettlementStep
from provision.subscriptions.settling.models import SettlementPart

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.subscriptions.documents.models import Invoice, Settlement

OWED, INVOICED, SETTLED = "owed", "invoiced", "settled"
STATES = (OWED, INVOICED, SETTLED)
KEY = "settlement:"  # what the keys of its documents and entries begin with


def shown(settlement: Settlement) -> str:
    """Return how people name a settlement: seller, beneficiary, number."""
    return f"{settlement.seller_id}-{settlement.beneficiary_id}-{settlement.number}"


def key(settlement: Settlement) -> str:
    """Return the key of its document, which is the beneficiary's."""
    return f"{KEY}{settlement.seller_id}:{settlement.number}"


def named_by(document: Invoice) -> str:
    """Return the name of the settlement that a document was made for."""
    _head, seller, number = document.key.split(":")
    return f"{seller}-{document.organisation_id}-{number}"


def steps(session: Session, settlement: Settlement) -> dict[str, SettlementStep]:
    """Return the steps that were reached, by state."""
    step = SettlementStep
    settlement_steps = session.scalars(
        select(step).where(
            step.seller_id == settlement.seller_id,
            step.beneficiary_id == settlement.beneficiary_id,
            step.number == settlement.number,
        )
    )
    return {step.state: step for step in settlement_steps}


def state(session: Session, settlement: Settlement) -> str:
    """Return the last state that it reached."""
    return max(steps(session, settlement), key=STATES.index)


def reach(session: Session, settlement: Settlement, reached: str, on: date, reference: str) -> None:
    """Write that it reached a state; the database takes each once."""
    session.add(
        SettlementStep(
            seller_id=settlement.seller_id,
            beneficiary_id=settlement.beneficiary_id,
            number=settlement.number,
            state=reached,
            reached_on=on,
            reference=reference,
        )
    )
    session.flush()


def parts_of(session: Session, settlement: Settlement) -> Sequence[SettlementPart]:
    """Return its parts in their order."""
    part = SettlementPart
    return session.scalars(
        select(part)
        .where(
            part.seller_id == settlement.seller_id,
            part.beneficiary_id == settlement.beneficiary_id,
            part.number == settlement.number,
        )
        .order_by(part.position)
    ).all()
