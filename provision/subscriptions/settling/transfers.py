"""What organisations pay each other, as the bank of one of them shows it.

The payment of a settlement stands in both books at once, on 580 where statements are brought in;
each one's statement then takes it from there. The first of the two statements enters the payment.
A statement gives the number of the settlement's document, which another issuer may use too: here a
settlement is known by its name (seller, beneficiary, number), never by that number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from provision.errors import UsageRefused
from provision.formats.bank.candidates import SETTLEMENT, Expected
from provision.subscriptions.documents import allocating, drafts, open_items
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.ledger import chart
from provision.subscriptions.ledger.models import LedgerPosting, LedgerTransaction
from provision.subscriptions.parties import people
from provision.subscriptions.parties.models import Organisation
from provision.subscriptions.payments import booking
from provision.subscriptions.payments.booking import Booking, line
from provision.subscriptions.payments.models import BankMovement, MovementBooking
from provision.subscriptions.settling import settlements, steps

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.documents.models import Settlement


def expected(session: Session, organisation: Organisation) -> list[Expected]:
    """Return the settlements whose payment the organisation's bank did not show yet."""
    waiting = _waiting(session, organisation.id)
    names = {row.id: row.name for row in session.scalars(select(Organisation))}
    expected_lines = []
    for document in _documents(session, organisation):
        reference = steps.named_by(document)
        units = _due(session, document, organisation) or waiting.get(reference, 0)
        if units:
            ours = document.organisation_id == organisation.id
            other = people.organisation_of(document.party) if ours else document.organisation_id
            expected_lines.append(_expected(reference, units, names.get(other or 0, ""), document))
    return expected_lines


def book(session: Session, row: BankMovement, typed: str, today: date) -> int:
    """Book a movement that pays the settlement of this name; the payment itself if need be.

    Raises UsageRefused when the movement is not exactly what was waited for.
    """
    settlement = _settlement(session, row.organisation_id, typed)
    reference = steps.shown(settlement)
    if steps.state(session, settlement) == steps.INVOICED:
        settlements.pay(session, settlement, row.booked_on, today)
    if _waiting(session, row.organisation_id).get(reference, 0) != row.units:
        raise UsageRefused(
            f"Movement {row.id} is not what was waited for of the settlement {reference}",
            "Look at both once more.",
        )
    text = f"Règlement {reference}, relevé"
    lines = (line(chart.TRANSFERS, -row.units),)
    return booking.book(session, row, Booking(SETTLEMENT, text, lines, reference), today)


def _documents(session: Session, organisation: Organisation) -> list[Invoice]:
    """Return what the organisation and others invoiced each other for settlements."""
    reference = people.organisation_reference(organisation.id)
    ours = (Invoice.organisation_id == organisation.id) & Invoice.party.startswith(
        people.ORGANISATION
    )
    return list(
        session.scalars(
            select(Invoice).where(
                or_(ours, Invoice.party == reference), Invoice.key.startswith(steps.KEY)
            )
        )
    )


def _due(session: Session, document: Invoice, organisation: Organisation) -> Cents:
    """Return what is open on a document: above zero when this organisation is to receive it."""
    sign = 1 if document.organisation_id == organisation.id else -1
    if document.kind in drafts.CREDITS:
        sign = -sign
    return sign * open_items.left_on(session, document)


def _waiting(session: Session, organisation_id: int) -> dict[str, Cents]:
    """Return what is on its way (580) by settlement, less what the bank showed of it."""
    same = (LedgerTransaction.organisation_id == LedgerPosting.organisation_id) & (
        LedgerTransaction.number == LedgerPosting.number
    )
    paid = (
        select(LedgerTransaction.idempotency_key, func.sum(LedgerPosting.units))
        .join(LedgerPosting, same)
        .where(
            LedgerPosting.organisation_id == organisation_id,
            LedgerPosting.account == chart.TRANSFERS,
            LedgerTransaction.idempotency_key.startswith(steps.KEY),
        )
        .group_by(LedgerTransaction.idempotency_key)
    )
    shown_by_bank = (
        select(MovementBooking.why, func.sum(BankMovement.units))
        .join(BankMovement, BankMovement.id == MovementBooking.movement_id)
        .where(
            MovementBooking.organisation_id == organisation_id, MovementBooking.kind == SETTLEMENT
        )
        .group_by(MovementBooking.why)
    )
    waiting = {key.split(":")[1]: int(units) for key, units in session.execute(paid)}
    for reference, units in session.execute(shown_by_bank):
        waiting[reference] = waiting.get(reference, 0) - int(units)
    return waiting


def _expected(reference: str, units: Cents, name: str, document: Invoice) -> Expected:
    return Expected(
        kind=SETTLEMENT,
        reference=reference,
        units=units,
        end_to_ends=frozenset(),
        names=(name,) if name else (),
        iban="",
        due_on=document.due_on,
        document=allocating.number_of(document).shown,
    )


def _settlement(session: Session, organisation_id: int, typed: str) -> Settlement:
    settlement = settlements.find(session, typed)
    if organisation_id not in {settlement.seller_id, settlement.beneficiary_id}:
        raise UsageRefused(
            f"The settlement {steps.shown(settlement)} is between others",
            "See: paquet settlement list",
        )
    return settlement
