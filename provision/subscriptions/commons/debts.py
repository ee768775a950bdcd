"""Contributive debts: what a community promised those who built what it lives on.

A promise is no invoice: until it is paid it stands in class 8 (801 against 809), where the French
chart keeps commitments, and never in the balance sheet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision import edges
from provision.days import sensible_day
from provision.errors import UsageRefused
from provision.money import euros, show_euros
from provision.subscriptions.commons.models import DebtPayment, PromisedDebt
from provision.subscriptions.ledger import chart, journal, posting
from provision.subscriptions.ledger.journal import Entry, Line

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.ledger.journal import Moment
    from provision.subscriptions.parties.models import Organisation


@dataclass(frozen=True)
class Promise:
    """To whom (a reference, or words), what for, how much (cents), and where it was decided."""

    creditor: str
    purpose: str
    units: Cents
    minutes: str


def record(
    session: Session, organisation: Organisation, promise: Promise, today: date
) -> PromisedDebt:
    """Write what `organisation` promised."""
    sensible_day(today, "the day of a promise")
    if promise.units <= 0:
        raise UsageRefused("A promise of nothing", "Give an amount above zero.")
    debt = PromisedDebt(
        organisation=organisation,
        creditor=edges.person_name(promise.creditor, "creditor"),
        purpose=edges.person_name(promise.purpose, "purpose"),
        units=promise.units,
        minutes=edges.person_name(promise.minutes, "reference of the minutes"),
        recorded_on=today,
    )
    session.add(debt)
    session.flush()
    lines = _memo(debt, promise.units)
    entry = Entry(organisation.id, today, f"Dette contributive {debt.id}", reference(debt), lines)
    posting.post(session, entry, today)
    return debt


def pay(session: Session, debt: PromisedDebt, units: Cents, moment: Moment) -> DebtPayment:
    """Write that `units` of a promise were paid: services bought. Never more than is owed."""
    left = owed(session, debt)
    if not 0 < units <= left:
        raise UsageRefused(
            f"{show_euros(units)} cannot be paid: {show_euros(left)} is owed of debt {debt.id}",
            "Give an amount above zero, and not more than is owed.",
        )
    number = _next(session, debt)
    entry = Entry(
        organisation_id=debt.organisation_id,
        effective_on=moment.on,
        text=f"Dette contributive {debt.id}, versement {number}",
        key=f"{reference(debt)}:{number}",
        lines=(
            Line(chart.PURCHASED_SERVICES, euros(units)),
            Line(chart.BANK, euros(-units)),
            *_memo(debt, -units),
        ),
        journal=journal.BANK,
        piece=reference(debt),
    )
    written = posting.post(session, entry, moment.today)
    payment = DebtPayment(
        debt_id=debt.id,
        number=number,
        units=units,
        entry_number=written.number,
        paid_on=moment.on,
    )
    session.add(payment)
    session.flush()
    return payment


def owed(session: Session, debt: PromisedDebt) -> Cents:
    """Return what of a promise is not paid yet, in cents."""
    paid = session.scalar(select(func.sum(DebtPayment.units)).where(DebtPayment.debt_id == debt.id))
    return debt.units - int(paid or 0)


def get(session: Session, number: int) -> PromisedDebt:
    """Return the debt of this number, or raise UsageRefused."""
    debt = session.get(PromisedDebt, number)
    if debt is None:
        raise UsageRefused(f"There is no debt {number}", "See: paquet debt list")
    return debt


def everyone(session: Session) -> list[PromisedDebt]:
    """Return all promises in the order they were made."""
    return list(session.scalars(select(PromisedDebt).order_by(PromisedDebt.id)))


def reference(debt: PromisedDebt) -> str:
    """Return how the ledger names a promise."""
    return f"debt-{debt.id}"


def _memo(debt: PromisedDebt, units: Cents) -> tuple[Line, Line]:
    return (
        Line(chart.COUNTERPART, euros(units)),
        Line(chart.PROMISED, euros(-units), reference(debt)),
    )


def _next(session: Session, debt: PromisedDebt) -> int:
    last = session.scalar(
        select(func.max(DebtPayment.number)).where(DebtPayment.debt_id == debt.id)
    )
    return (last or 0) + 1
