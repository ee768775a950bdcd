"""An invoice that names the wrong customer: taken back, and made again for who that is today.

Neither is ever changed (CGI, annexe II, article 242 nonies A): a credit note takes the invoice
back, a new one names it as the one before (BG-3), and what was paid counts for the new one.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision import edges
from provision.errors import UsageRefused
from provision.subscriptions.documents import allocating, reversals
from provision.subscriptions.documents.drafts import DEPOSIT, REPLACES, Buyer, Draft
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.offers import sharing
from provision.subscriptions.offers.catalogue import Catalogue
from provision.subscriptions.offers.treatments import Taxing
from provision.subscriptions.offers.vat import NET, ROUNDING, tax
from provision.subscriptions.parties import identities, people
from provision.subscriptions.parties.models import Identity
from provision.subscriptions.payments import answers
from provision.subscriptions.selling import adjusting, charges, credit_notes
from provision.subscriptions.selling.credit_notes import What
from provision.subscriptions.selling.sides import Work

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.subscriptions.documents.drafts import DraftLine
    from provision.subscriptions.documents.issuing import Number

WRONG = {"fr": "le client n'était pas le bon", "en": "the customer was not the right one"}
REPLACED = {
    "fr": "Remplace la facture {number} : {reason}",
    "en": "Replaces the invoice {number}: {reason}",
}


def correct(session: Session, number: Number, reason: str, on: date) -> list[Number]:
    """Issue the credit note and the new invoice `on` a day, and return their numbers.

    Without a `reason` both say that the customer was not the right one. An invoice that was taken
    back whole before is only made again. Raises UsageRefused when the invoice names its customer as
    today, when it was made again before, while it is collected, or when other documents charge its
    days.
    """
    invoice = credit_notes.find(session, number)
    _refuse_again(session, number)
    _refuse_collected(session, number)
    buyer, language = _buyer(session, invoice)
    why = edges.person_name(reason or WRONG[language], "reason")
    lines = credit_notes.rest(session, invoice)
    numbers = []
    if charges.left(session, invoice)[1] > 0:
        numbers.append(credit_notes.credit(session, number, What(), why, on))
    else:
        lines = [credit_notes.mirror(line, 1) for line in credit_notes.lines_of(session, number)]
    words = REPLACED[language].format(number=number.shown, reason=why)
    numbers.append(_made_again(session, invoice, lines, (buyer, words, on)))
    for note in charges.credits_of(session, number):
        reversals.move(session, note, numbers[-1], on)
    return numbers


def _refuse_again(session: Session, number: Number) -> None:
    """Raise UsageRefused where a newer invoice is in the place of this one: that one is corrected.

    Another from the same would take its number among the keys of documents a second time.
    """
    newer = session.scalar(
        select(Invoice).where(
            Invoice.organisation_id == number.organisation_id,
            Invoice.key == f"{REPLACES}{number.shown}",
        )
    )
    if newer is not None:
        shown = allocating.number_of(newer).shown
        raise UsageRefused(
            f"{number.shown} was made again as {shown}",
            f"Correct that one: paquet invoice correct {shown}",
        )


def _refuse_collected(session: Session, number: Number) -> None:
    """Raise UsageRefused while the bank has a debit of it: the new invoice would bring another."""
    for item in chain.from_iterable(answers.running(session, number.organisation_id).values()):
        if answers.number_of(item) == number:
            raise UsageRefused(
                f"The bank has a debit for {number.shown}, {item.reference}",
                "Wait for its answer: then what it paid counts for the new invoice.",
            )


def _buyer(session: Session, invoice: Invoice) -> tuple[Buyer, str]:
    """Return who the customer is today, and their language."""
    if invoice.kind == DEPOSIT:
        raise UsageRefused(
            "A deposit invoice is not made again",
            "Credit it (paquet subscription credit), then ask anew: paquet invoice deposit",
        )
    subscriber = people.subscriber_of(session, invoice.party)
    known = None if subscriber is None else identities.current(session, subscriber)
    if known is None:
        raise UsageRefused("Whoever this invoice is for was erased", "Nobody can be named on it.")
    if known.id == invoice.identity_id:
        raise UsageRefused(
            "The invoice names its customer as it is known today",
            "Say first who it is: paquet subscription identify",
        )
    language = identities.read(known).language
    return Buyer(invoice.party, known.id, invoice.subscription_id), language


def _made_again(
    session: Session,
    invoice: Invoice,
    lines: list[DraftLine],
    what: tuple[Buyer, str, date],
) -> Number:
    buyer, words, on = what
    billing = charges.billing_of(session, invoice.subscription_id)
    taken_back = list(credit_notes.steps(invoice, lines, 1))
    if not charges.once([*billing.lines, *taken_back]):
        raise UsageRefused(
            "Other documents charge the days of this invoice", "See: paquet invoice list"
        )
    work = Work(session, Catalogue(session), sharing.load(session), on, billing)
    issuer = invoice.organisation_id
    lines = _taxed(work, issuer, lines, buyer)
    draft = Draft(
        issuer_id=issuer,
        key=f"{REPLACES}{allocating.number_of(invoice).shown}",
        buyer=buyer,
        lines=tuple(credit_notes.shared(work, issuer, line, 1) for line in lines),
        reason=words,
    )
    (number,) = adjusting.issue(work, [draft])
    sharing.save(session, work.dealer)
    return number


def _taxed(work: Work, issuer_id: int, lines: list[DraftLine], buyer: Buyer) -> list[DraftLine]:
    """Return the lines as today's buyer is taxed, where that is not for the same reason as before.

    What is asked for without VAT stays: who is abroad pays the price without that of the seller.
    """
    identity = work.session.get_one(Identity, buyer.identity_id)
    today = Taxing(work.catalogue, identities.read(identity), work.on).how(issuer_id, NET).treatment
    kept = [line for line in lines if line.treatment != ROUNDING]
    if all(line.treatment.abroad == today.abroad for line in kept):
        return lines
    if all(replace(line.treatment, abroad=today.abroad) == today for line in kept):
        return [
            line if line.treatment == ROUNDING else replace(line, treatment=today) for line in lines
        ]
    taxed = tax([line.net for line in kept], NET, today.rate)
    return [
        replace(line, vat=taxed_line.vat, treatment=today)
        for line, taxed_line in zip(kept, taxed, strict=True)
    ]
