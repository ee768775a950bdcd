"""What organisations pay each other, as the bank of one of them shows it.

The payment of a settlement stands in both books at once, on 580 where statements are brought in;
each one's statement then takes it from there. The first of the two statements enters the payment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from provision.errors import UsageRefused
from provision.subscriptions import allocating, chart, drafts, numbering, people
from provision.subscriptions.bank.candidates import SETTLEMENT, Expected
from provision.subscriptions.invoice_models import Invoice, Settlement, SettlementStep
from provision.subscriptions.ledger_models import LedgerPosting, LedgerTransaction
from provision.subscriptions.models import Organisation
from provision.subscriptions.payments import booking
from provision.subscriptions.payments.booking import Booking, line
from provision.subscriptions.payments.models import BankMovement, MovementBooking
from provision.subscriptions.settling import settlements, steps

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Cents


def expected(session: Session, organisation: Organisation) -> list[Expected]:
    """Return the settlements whose payment the organisation's bank did not show yet."""
    documents = {
        numbering.shown(one.series, one.number): (one, _due(session, one, organisation))
        for one in _documents(session, organisation)
    }
    waiting = _waiting(session, organisation.id)
    names = {one.id: one.name for one in session.scalars(select(Organisation))}
    found = []
    for shown, (document, units) in documents.items():
        wanted = units or waiting.get(shown, 0)
        if wanted:
            ours = document.organisation_id == organisation.id
            other = people.organisation_of(document.party) if ours else document.organisation_id
            found.append(_expected(shown, wanted, names.get(other or 0, ""), document.due_on))
    return found


def book(session: Session, row: BankMovement, shown: str, today: date) -> int:
    """Book a movement that pays the settlement of this document; the payment itself if need be.

    Raises UsageRefused when the movement is not exactly what was waited for.
    """
    organisation = session.get_one(Organisation, row.organisation_id)
    settlement = _settlement(session, organisation, shown)
    if steps.state(session, settlement) == steps.INVOICED:
        settlements.pay(session, settlement, row.booked_on, today)
    if _waiting(session, organisation.id).get(shown, 0) != row.units:
        raise UsageRefused(
            f"Movement {row.id} is not what was waited for of {shown}", "Look at both once more."
        )
    text = f"Règlement {steps.shown(settlement)}, relevé"
    lines = (line(chart.TRANSFERS, -row.units),)
    return booking.book(session, row, Booking(SETTLEMENT, text, lines, shown), today)


def _documents(session: Session, organisation: Organisation) -> list[Invoice]:
    """Return what the organisation and others invoiced each other for settlements."""
    reference = people.organisation_reference(organisation.id)
    ours = (Invoice.organisation_id == organisation.id) & Invoice.party.startswith(
        people.ORGANISATION
    )
    return list(session.scalars(select(Invoice).where(or_(ours, Invoice.party == reference))))


def _due(session: Session, document: Invoice, organisation: Organisation) -> Cents:
    """Return what is open on a document: above zero when this organisation is to receive it."""
    sign = 1 if document.organisation_id == organisation.id else -1
    if document.kind in drafts.CREDITS:
        sign = -sign
    return sign * allocating.open_units(session, document)


def _waiting(session: Session, organisation_id: int) -> dict[str, Cents]:
    """Return what is on its way (580) by document, less what the bank showed of it."""
    same = (LedgerTransaction.organisation_id == LedgerPosting.organisation_id) & (
        LedgerTransaction.number == LedgerPosting.number
    )
    paid = (
        select(LedgerTransaction.piece, func.sum(LedgerPosting.units))
        .join(LedgerPosting, same)
        .where(
            LedgerPosting.organisation_id == organisation_id,
            LedgerPosting.account == chart.TRANSFERS,
            LedgerTransaction.idempotency_key.startswith("settlement:"),
        )
        .group_by(LedgerTransaction.piece)
    )
    shown_by_bank = (
        select(MovementBooking.why, func.sum(BankMovement.units))
        .join(BankMovement, BankMovement.id == MovementBooking.movement_id)
        .where(
            MovementBooking.organisation_id == organisation_id, MovementBooking.kind == SETTLEMENT
        )
        .group_by(MovementBooking.why)
    )
    found = {piece: int(units) for piece, units in session.execute(paid)}
    for shown, units in session.execute(shown_by_bank):
        found[shown] = found.get(shown, 0) - int(units)
    return found


def _expected(shown: str, units: Cents, name: str, due_on: date) -> Expected:
    return Expected(
        kind=SETTLEMENT,
        reference=shown,
        units=units,
        end_to_ends=frozenset(),
        names=(name,) if name else (),
        iban="",
        due_on=due_on,
    )


def _settlement(session: Session, organisation: Organisation, shown: str) -> Settlement:
    one, step = Settlement, SettlementStep
    same = (
        (step.seller_id == one.seller_id)
        & (step.beneficiary_id == one.beneficiary_id)
        & (step.number == one.number)
    )
    found = session.scalars(
        select(one)
        .join(step, same)
        .where(
            step.reference == shown,
            or_(one.seller_id == organisation.id, one.beneficiary_id == organisation.id),
        )
    ).all()
    if len(found) != 1:
        raise UsageRefused(
            f"{shown} is not the document of one settlement of {organisation.name}",
            "See: paquet settlement list",
        )
    return found[0]
