"""Gifts of a business to an association: given freely, owed by nobody (CGI, article 238 bis)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision.errors import UsageRefused
from provision.money import euros
from provision.subscriptions.ledger import chart, journal, posting
from provision.subscriptions.ledger.journal import Entry, Line
from provision.subscriptions.ledger.models import LedgerPosting, LedgerTransaction
from provision.subscriptions.parties.people import organisation_reference
from provision.subscriptions.payments import awaited_money

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.ledger.journal import Moment
    from provision.subscriptions.offers.terms import Term
    from provision.subscriptions.parties.models import Organisation


def give(
    session: Session, giver: Organisation, receiver: Organisation, units: Cents, moment: Moment
) -> None:
    """Write a gift in both books: 6238 with the business, 7542 with the association.

    Where statements are brought in it waits on 580 until one shows the transfer.
    """
    if giver.kind != "business" or receiver.kind != "association":
        raise UsageRefused(
            f"{giver.name} cannot give to {receiver.name} as a patron",
            "A business gives to an association; else it is an invoice.",
        )
    if units <= 0:
        raise UsageRefused("A gift of nothing", "Give an amount above zero.")
    key = f"gift:{giver.id}:{receiver.id}:{posting.end_of(session, giver.id)[0]}"
    to, of = organisation_reference(receiver.id), organisation_reference(giver.id)
    sides = (
        (giver.id, Line(chart.GIFTS_MADE, euros(units), to)),
        (receiver.id, Line(chart.GIFTS_RECEIVED, euros(-units), of)),
    )
    for owner, line in sides:
        account, reference = awaited_money.place(session, owner, key.replace(":", "-"))
        both = (line, Line(account, -line.amount, reference))
        lines = tuple(sorted(both, key=lambda entry_line: -entry_line.amount.units))  # debit first
        entry = Entry(owner, moment.on, "Don", key, lines, journal=journal.BANK)
        posting.post(session, entry, moment.today)


def given(session: Session, giver: Organisation, receiver: Organisation, days: Term) -> Cents:
    """Return what was given on these days, in cents."""
    to = LedgerPosting.party == organisation_reference(receiver.id)
    return _turned_over(session, giver, days, (LedgerPosting.account == chart.GIFTS_MADE) & to)


def revenue(session: Session, organisation: Organisation, days: Term) -> Cents:
    """Return what services were sold for on these days, without VAT, in cents."""
    sold = LedgerPosting.account == chart.SERVICES_SOLD
    return -_turned_over(session, organisation, days, sold)


def _turned_over(
    session: Session, organisation: Organisation, days: Term, which: ColumnElement[bool]
) -> Cents:
    total = session.scalar(
        select(func.sum(LedgerPosting.units))
        .join(
            LedgerTransaction,
            (LedgerTransaction.organisation_id == LedgerPosting.organisation_id)
            & (LedgerTransaction.number == LedgerPosting.number),
        )
        .where(
            LedgerPosting.organisation_id == organisation.id,
            which,
            LedgerPosting.commodity == "EUR",
            LedgerTransaction.effective_on >= days.starts,
            LedgerTransaction.effective_on < days.until,
        )
    )
    return int(total or 0)
