"""Deposit invoices ("factures d'acompte"): money for what will be sold under a subscription.

Sources: CGI, article 289, I-1-c (a deposit for a service has an invoice), article 269, 2-c (VAT of
a service is due as far as it is paid, deposits too); UNTDID 1001, type 386, and type 503 for what
takes one back. D 411, C 4191 and C 44571: nothing is sold yet, so nobody else has a share of it.
Invoices deduct it (`deducting`); what nothing deducts any more is given back by a credit note.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from sqlalchemy import func, select, true

from provision import edges
from provision.errors import UsageRefused
from provision.money import euros, show_euros
from provision.registry.models import Subscriber
from provision.subscriptions.documents import allocating, deducting, drafts, issuing, numbering
from provision.subscriptions.documents.drafts import Draft, DraftLine
from provision.subscriptions.documents.models import DepositDeduction, Invoice
from provision.subscriptions.offers import contracts
from provision.subscriptions.offers.catalogue import Catalogue, Item
from provision.subscriptions.offers.sharing import Rule
from provision.subscriptions.offers.treatments import Taxing
from provision.subscriptions.offers.vat import GROSS, tax
from provision.subscriptions.selling import charges, credit_notes, opening
from provision.subscriptions.selling.credit_notes import What
from provision.subscriptions.selling.models import Subscription

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from provision.money import Amount, Cents
    from provision.subscriptions.documents.issuing import Number

LABEL = {"fr": "Acompte sur l’abonnement « {plan} »", "en": "Deposit on the subscription “{plan}”"}
NOT_DEDUCTED = {
    "fr": "Fin de l’abonnement : acompte non déduit",
    "en": "End of the subscription: deposit not deducted",
}
UNFIT = MappingProxyType(
    {
        contracts.TWO_CONTRACTS: "with two contracts one would take money for the other",
        contracts.LICENSED: "its provider pays each their part, and a deposit has no parts yet",
    }
)
MOST = 100_000_00  # cents: far more than anybody deposits for a subscription


@dataclass(frozen=True)
class Standing:
    """A deposit as a list shows it: what was paid and deducted, and what can still be deducted."""

    organisation_id: int
    subscription_id: int
    shown: str
    issued_on: date
    gross: Amount
    paid: Amount
    deducted: Amount
    left: Amount
    is_credited: bool


def issue(session: Session, subscription: Subscription, units: Cents, why: str, on: date) -> Number:
    """Issue a deposit invoice of `units` cents, VAT included as the seller owes it `on` the day.

    `why` is shown on it, and may be empty. Raises UsageRefused where nothing will deduct it, and
    under a contract by which one would get what may be another's (`UNFIT`).
    """
    _check(subscription, units)
    catalogue = Catalogue(session)
    version = opening.version_on(subscription, on)
    agreement = catalogue.agreement(version.contract_id)
    if agreement.mode in UNFIT:
        raise UsageRefused(
            f"No deposit can be asked for under subscription {subscription.id}: "
            f"{UNFIT[agreement.mode]}",
            "Bill it when its terms begin: paquet invoice run",
        )
    seller_id = agreement.seller_id
    due = charges.due_of(session, subscription)
    treatment = Taxing(catalogue, due.person, on).how(seller_id, GROSS).treatment
    (taxed,) = tax([units], GROSS, treatment.rate)
    line = DraftLine(
        item=Item(drafts.IN_ADVANCE, "", _label(subscription, on), 1, units),
        days=None,
        net=taxed.net,
        vat=taxed.vat,
        treatment=treatment,
        shares=((Rule(seller_id, None, 1), taxed.net),),
    )
    draft = Draft(
        issuer_id=seller_id,
        key=f"deposit:{subscription.id}:{_count(session, subscription) + 1}",
        buyer=due.buyer,
        lines=(line,),
        kind=drafts.DEPOSIT,
        reason=edges.person_name(why, "reason") if why else "",
    )
    (number,) = issuing.issue(session, [draft], catalogue, on)
    return number


def same_of(session: Session, subscription: Subscription, units: Cents, day: date) -> Number | None:
    """Return a deposit of that amount which was asked for under the subscription on a day."""
    invoice = session.scalar(
        select(Invoice).where(
            deducting.IS_DEPOSIT,
            Invoice.subscription_id == subscription.id,
            Invoice.issued_on == day,
            Invoice.gross == units,
            ~deducting.is_credited(),
        )
    )
    return allocating.number_of(invoice) if invoice else None


def refund(session: Session, subscription: Subscription, on: date) -> list[Number]:
    """Take back what no invoice deducted of the subscription's deposits; return the credit notes.

    What was not paid of a deposit is not asked for any more; what was paid is open on the note.
    """
    return _refund(session, Invoice.subscription_id == subscription.id, on)


def refund_ended(session: Session, day: date) -> list[Number]:
    """Take back the deposits for active subscriptions whose last day is before `day`."""
    ending = select(Subscription.id).where(
        Subscription.state == opening.ACTIVE, Subscription.last_day < day
    )
    return _refund(session, Invoice.subscription_id.in_(ending), day)


def in_hand(session: Session, subscription_id: int) -> list[Standing]:
    """Return the deposits of a subscription that invoices have still to deduct, paid or not."""
    return [
        deposit
        for deposit in everything(session, Invoice.subscription_id == subscription_id)
        if not deposit.is_credited and deposit.deducted.units < deposit.gross.units
    ]


def everything(session: Session, whose: ColumnElement[bool] | None = None) -> list[Standing]:
    """Return all deposits, or those that a condition on Invoice says, in order of their numbers."""
    query = (
        select(
            Invoice,
            deducting.paid(),
            deducting.deducted(DepositDeduction.net),
            deducting.deducted(DepositDeduction.vat),
            deducting.is_credited(),
        )
        .where(deducting.IS_DEPOSIT, true() if whose is None else whose)
        .order_by(Invoice.organisation_id, Invoice.series, Invoice.number)
    )
    return [
        _standing(invoice, int(paid), int(net) + int(vat), is_credited=bool(credited))
        for invoice, paid, net, vat, credited in session.execute(query)
    ]


def _standing(invoice: Invoice, paid: Cents, deducted: Cents, *, is_credited: bool) -> Standing:
    return Standing(
        organisation_id=invoice.organisation_id,
        subscription_id=invoice.subscription_id or 0,
        shown=numbering.shown(invoice.series, invoice.number),
        issued_on=invoice.issued_on,
        gross=euros(invoice.gross),
        paid=euros(paid),
        deducted=euros(deducted),
        left=euros(0 if is_credited else max(paid - deducted, 0)),
        is_credited=is_credited,
    )


def _check(subscription: Subscription, units: Cents) -> None:
    if not 0 < units <= MOST:
        raise UsageRefused(
            f"A deposit is above 0, and at most {show_euros(MOST)}",
            "Check the amount.",
        )
    last_day = subscription.last_day
    is_over = last_day is not None and last_day < subscription.billed_to
    if subscription.state == opening.ENDED or is_over:
        raise UsageRefused(
            f"Nothing more is billed for subscription {subscription.id}: no invoice would deduct "
            "a deposit",
            f"Let it go on first: paquet subscription keep {subscription.id}",
        )


def _label(subscription: Subscription, on: date) -> str:
    language = subscription.subscriber.language
    plan = opening.version_on(subscription, on).plan
    return LABEL[language].format(plan=plan.name_fr if language == "fr" else plan.name_en)


def _count(session: Session, subscription: Subscription) -> int:
    query = select(func.count()).where(
        deducting.IS_DEPOSIT, Invoice.subscription_id == subscription.id
    )
    return session.scalar(query) or 0


def _refund(session: Session, whose: ColumnElement[bool], on: date) -> list[Number]:
    deposits = session.execute(
        select(Invoice, Subscriber.language)
        .join(Subscription, Subscription.id == Invoice.subscription_id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(deducting.IS_DEPOSIT, whose)
        .order_by(Invoice.organisation_id, Invoice.entry_number)
    ).all()
    return [
        credit_notes.credit(
            session, allocating.number_of(invoice), What(), NOT_DEDUCTED[language], on
        )
        for invoice, language in deposits
        if charges.left(session, invoice)[1] > 0
    ]
