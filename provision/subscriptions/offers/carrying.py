"""Where every contract's splits are, read and written around a piece of work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.subscriptions.offers.models import Carry
from provision.subscriptions.offers.sharing import Dealer

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def load(session: Session) -> Dealer:
    """Return a dealer that goes on where the registry is."""
    return Dealer({(row.contract_id, row.role): row.carried for row in session.scalars(_ALL)})


def save(session: Session, dealer: Dealer) -> None:
    """Write where the splits are now."""
    for contract_id, role in sorted(dealer.changed):
        carried = dealer.carried[contract_id, role]
        session.merge(Carry(contract_id=contract_id, role=role, carried=carried))
    dealer.changed.clear()
    session.flush()


_ALL = select(Carry)
