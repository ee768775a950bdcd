"""Barter: honey for a website. A quantity of an agreed value pays an invoice of that value.

Each side sells: the customer's own invoice, and its VAT where it is liable, is its own affair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision import edges
from provision.days import sensible_day
from provision.errors import UsageRefused
from provision.money import euros
from provision.subscriptions.commons import in_kind
from provision.subscriptions.commons.in_kind import InKind
from provision.subscriptions.commons.models import BarterAgreement, BarterDelivery
from provision.subscriptions.ledger import chart
from provision.subscriptions.ledger.journal import Line

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.documents.models import Invoice
    from provision.subscriptions.ledger.journal import Moment
    from provision.subscriptions.parties.models import Organisation

MOST_PIECES = 1_000_000


@dataclass(frozen=True)
class BarterOffer:
    """What a customer (a reference) gives: pieces of what, each of an agreed value in cents."""

    party: str
    description: str
    quantity: int
    piece_units: Cents


def agree(
    session: Session, organisation: Organisation, offer: BarterOffer, day: date
) -> BarterAgreement:
    """Write what `organisation` takes instead of euros, agreed on `day`."""
    sensible_day(day, "the day of an agreement")
    if not 0 < offer.quantity <= MOST_PIECES or offer.piece_units <= 0:
        raise UsageRefused(
            "An agreement of nothing, or of too much",
            f"Give 1 to {MOST_PIECES} pieces, and a value above zero.",
        )
    agreement = BarterAgreement(
        organisation_id=organisation.id,
        party=offer.party,
        description=edges.person_name(offer.description, "description"),
        quantity=offer.quantity,
        piece_units=offer.piece_units,
        agreed_on=day,
    )
    session.add(agreement)
    session.flush()
    return agreement


def deliver(
    session: Session, agreement: BarterAgreement, invoice: Invoice, quantity: int, moment: Moment
) -> Cents:
    """Let delivered pieces pay for the invoice, and return their value in cents.

    Raises UsageRefused for more pieces than agreed, or more value than is open.
    """
    _check(session, agreement, invoice, quantity, moment)
    number = _delivered(session, agreement)[1] + 1
    payment = InKind(
        kind=in_kind.BARTER,
        name=agreement.description,
        taken=Line(chart.PURCHASED_SERVICES, euros(quantity * agreement.piece_units)),
        text=f"Troc, accord {agreement.id}",
        key=f"barter:{agreement.id}:{number}",
    )
    written = in_kind.pay(session, invoice, payment, moment)
    session.add(
        BarterDelivery(
            agreement_id=agreement.id,
            number=number,
            quantity=quantity,
            entry_number=written,
            delivered_on=moment.on,
        )
    )
    return payment.units


def get(session: Session, number: int) -> BarterAgreement:
    """Return the agreement of this number, or raise UsageRefused."""
    agreement = session.get(BarterAgreement, number)
    if agreement is None:
        raise UsageRefused(f"There is no agreement {number}", "See: paquet exchange agreements")
    return agreement


def everyone(session: Session) -> list[BarterAgreement]:
    """Return all agreements in the order they were made."""
    return list(session.scalars(select(BarterAgreement).order_by(BarterAgreement.id)))


def left(session: Session, agreement: BarterAgreement) -> int:
    """Return how many pieces of an agreement have not come yet."""
    return agreement.quantity - _delivered(session, agreement)[0]


def _check(
    session: Session, agreement: BarterAgreement, invoice: Invoice, quantity: int, moment: Moment
) -> None:
    parties = (invoice.organisation_id, invoice.party)
    if parties != (agreement.organisation_id, agreement.party):
        raise UsageRefused(
            f"Agreement {agreement.id} is not between the two of this invoice",
            "See: paquet exchange agreements",
        )
    if moment.on < agreement.agreed_on:
        raise UsageRefused(
            f"Agreement {agreement.id} is of {agreement.agreed_on}", "Agree first, then deliver."
        )
    rest = left(session, agreement)
    if not 0 < quantity <= rest:
        raise UsageRefused(
            f"{quantity} pieces cannot come: {rest} are left of agreement {agreement.id}",
            "Agree on more: paquet exchange agree --help",
        )


def _delivered(session: Session, agreement: BarterAgreement) -> tuple[int, int]:
    """Return how many pieces came, and with how many deliveries."""
    pieces, times = session.execute(
        select(func.sum(BarterDelivery.quantity), func.count()).where(
            BarterDelivery.agreement_id == agreement.id
        )
    ).one()
    return int(pieces or 0), times
