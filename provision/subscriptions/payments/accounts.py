"""What each customer owes an organisation, and what it owes them: one sum, whatever happened.

A partner that was invoiced for a settlement is a customer, too.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision.registry.models import Subscriber
from provision.subscriptions.documents import open_items
from provision.subscriptions.documents.drafts import CLAIMS, CREDIT_NOTE
from provision.subscriptions.ledger import chart
from provision.subscriptions.ledger.models import LedgerPosting
from provision.subscriptions.parties import organisations, people
from provision.subscriptions.parties.models import PersonReference
from provision.subscriptions.parties.people import organisation_of
from provision.subscriptions.payments.models import MandateRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from provision.money import Cents


@dataclass(frozen=True)
class CustomerAccount:
    """One customer in cents: open invoices, open credit notes, and what was paid too much (4197).

    `customer` is how commands name a subscriber: '' once erased, and of an `organisation`, which
    has a name here; `note` and `invoice` are the oldest that are open. `mandated` tells whether a
    mandate stands that they signed.
    """

    customer: str
    organisation: str
    owes: Cents
    notes: Cents
    credit: Cents
    invoice: str
    note: str
    mandated: bool

    @property
    def balance(self) -> Cents:
        """What the customer owes in all; below zero it is owed to them."""
        return self.owes - self.notes - self.credit


def everyone(session: Session, organisation_id: int) -> list[CustomerAccount]:
    """Return the customers with whom something is open, who owes the most first."""
    open_units: dict[str, Counter[str]] = {kind: Counter() for kind in (*CLAIMS, CREDIT_NOTE)}
    oldest: dict[tuple[str, str], str] = {}
    for document in open_items.everything(session, organisation_id):
        if document.kind in open_units:
            open_units[document.kind][document.party] += document.units
            oldest.setdefault((document.party, document.kind), document.shown)
    credit, subscribers = _credit(session, organisation_id), _subscribers(session)
    mandated = _mandated(session, organisation_id)
    names: Mapping[int | None, str] = {
        organisation.id: organisation.name for organisation in organisations.everyone(session)
    }
    parties = {party for of_kind in open_units.values() for party in of_kind} | credit.keys()
    accounts = [
        CustomerAccount(
            customer=people.called(subscribers[party]) if party in subscribers else "",
            organisation=names.get(organisation_of(party), ""),
            owes=sum(open_units[kind][party] for kind in CLAIMS),
            notes=open_units[CREDIT_NOTE][party],
            credit=credit.get(party, 0),
            invoice=next((oldest[party, kind] for kind in CLAIMS if (party, kind) in oldest), ""),
            note=oldest.get((party, CREDIT_NOTE), ""),
            mandated=party in subscribers and subscribers[party].id in mandated,
        )
        for party in parties
    ]
    return sorted(
        accounts, key=lambda account: (-account.balance, account.customer, account.organisation)
    )


def _credit(session: Session, organisation_id: int) -> Mapping[str, Cents]:
    rows = session.execute(
        select(LedgerPosting.party, func.sum(LedgerPosting.units))
        .where(
            LedgerPosting.organisation_id == organisation_id,
            LedgerPosting.account == chart.CUSTOMER_CREDIT,
        )
        .group_by(LedgerPosting.party)
        .having(func.sum(LedgerPosting.units) != 0)
    )
    return {party: -int(units) for party, units in rows}


def _subscribers(session: Session) -> Mapping[str, Subscriber]:
    rows = session.execute(
        select(PersonReference.reference, Subscriber).join(
            Subscriber, Subscriber.id == PersonReference.subscriber_id
        )
    )
    return {row.reference: row.Subscriber for row in rows}


def _mandated(session: Session, organisation_id: int) -> set[int]:
    return set(
        session.scalars(
            select(MandateRow.subscriber_id).where(
                MandateRow.organisation_id == organisation_id,
                MandateRow.signed_on.is_not(None),
                MandateRow.ended_on.is_(None),
            )
        )
    )
