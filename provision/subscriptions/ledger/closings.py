"""Close a period of an organisation's books: nothing is entered into it any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision.days import sensible_day
from provision.errors import UsageRefused
from provision.subscriptions.ledger import chart, posting
from provision.subscriptions.ledger.models import Closing, LedgerPosting, LedgerTransaction

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Amount
    from provision.subscriptions.parties.models import Organisation

WAITING = (chart.UNEXPLAINED, chart.TRANSFERS, chart.BEING_COLLECTED, chart.CARD_PAYMENTS)


def close(session: Session, organisation: Organisation, last_day: date, *, today: date) -> Closing:
    """Close all up to `last_day`; the database takes no more entries for these days.

    The closing keeps what was debited by then (a total that only grows) and the seal of the last
    entry, as BOI-TVA-DECLA-30-10-30 asks of software that records payments.
    """
    sensible_day(last_day, "the last day of a period")
    if last_day >= today:
        raise UsageRefused(f"{last_day} is not over", "Close a period when it has ended.")
    latest = posting.closed_to(session, organisation.id)
    if latest is not None and latest >= last_day:
        raise UsageRefused(
            f"The books of {organisation.name} are closed up to {latest}",
            "A closed period is never opened again: enter a correction today.",
        )
    number, sealed = posting.end_of(session, organisation.id)
    closing = Closing(
        organisation_id=organisation.id,
        last_day=last_day,
        closed_on=today,
        last_entry=number - 1,
        debit_to_date=debit_to(session, organisation.id, last_day),
        hash=sealed,
    )
    session.add(closing)
    session.flush()
    return closing


def debit_to(session: Session, organisation_id: int, day: date) -> int:
    """Return all debits in euros that took effect by `day`, in cents."""
    total = session.scalar(
        select(func.sum(LedgerPosting.units))
        .join(
            LedgerTransaction,
            (LedgerTransaction.organisation_id == LedgerPosting.organisation_id)
            & (LedgerTransaction.number == LedgerPosting.number),
        )
        .where(
            LedgerPosting.organisation_id == organisation_id,
            LedgerPosting.units > 0,
            LedgerPosting.commodity == "EUR",
            LedgerTransaction.effective_on <= day,
        )
    )
    return int(total or 0)


def waiting(session: Session, organisation_id: int, day: date) -> dict[str, Amount]:
    """Return what is left, at the end of a day, on accounts that are empty when all is explained.

    These are 471 (nobody could explain it), 580 (transfers under way), 511 (being collected) and
    5115 (not paid out yet).
    """
    balances = posting.balance(session, posting.Sight(organisation_id, day))
    return {
        balance.account: balance.amount
        for balance in balances
        if balance.account in WAITING and balance.amount.units
    }


def everyone(session: Session) -> list[Closing]:
    """Return all closings, the latest first."""
    return list(session.scalars(select(Closing).order_by(Closing.last_day.desc())))
