"""What card providers paid out, brought in: each payment is matched as one at the bank is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.errors import UsageRefused
from provision.formats.bank import matching
from provision.formats.bank.candidates import INVOICE
from provision.formats.bank.proposals import CERTAIN
from provision.formats.bank.statements import Movement
from provision.formats.payouts.payouts import PayoutRefused
from provision.subscriptions.documents import open_items
from provision.subscriptions.documents.drafts import CREDIT_NOTE
from provision.subscriptions.payments import (
    awaited_money,
    payout_lists,
    payout_returns,
    payouts,
)
from provision.workflows import reconciling

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.formats.bank.candidates import Expected
    from provision.formats.bank.proposals import Proposal
    from provision.formats.payouts.payouts import Payout, ProviderPayment
    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.payments.payout_models import PayoutPaymentRow


NOT_CHANGED = "What is in the books is not changed: compare both files, and ask the provider."
NO_TOTAL = "No line says what a payout comes to: an export with a filter is taken as the whole"


@dataclass(frozen=True)
class BroughtPayment:
    """A payment of a new payout: what became of it, and what it may be where nobody is sure.

    `pays` are the documents that it paid, refunded or opened again; `said` is all that the
    provider wrote.
    """

    number: int
    payout: Payout
    said: ProviderPayment
    kind: str
    pays: tuple[str, ...]
    proposal: Proposal | None


@dataclass(frozen=True)
class BroughtPayouts:
    """The payments of the new payouts of a file, and what people should know of the others."""

    payments: list[BroughtPayment]
    remarks: list[str]


def bring_in(
    session: Session, organisation: Organisation, given: Sequence[Payout], today: date
) -> BroughtPayouts:
    """Write the payouts that are not known yet, the oldest first, and book their payments.

    Only what is certain pays a document; the rest is parked. What is known is passed over. One that
    was another payout then is told; it raises PayoutRefused where nothing of the file is new.
    """
    payments: list[BroughtPayment] = []
    remarks: list[str] = []
    for payout in given:
        row = payouts.known(session, organisation.id, payout)
        if row is None:
            payments += _brought(session, organisation, payout, today)
        elif row.digest != payout.digest:
            remarks.append(payouts.was_another(row))
    if remarks and not payments:
        raise PayoutRefused(remarks[0], NOT_CHANGED)
    if not all(payment.payout.has_total for payment in payments):
        remarks.append(NO_TOTAL)
    return BroughtPayouts(payments, remarks)


def explain(
    session: Session, row: PayoutPaymentRow, typed: Sequence[str], today: date
) -> list[str]:
    """Say what a parked payment pays: invoices in this order, or receipts that wait for it.

    One that went back takes back the payment of the invoice that is named, or pays a credit note
    back. Returns the documents that it concerns.
    """
    if awaited_money.names(session, row.organisation_id, typed):
        payouts.show_awaited(session, row, typed, today)
        return list(typed)
    documents = [open_items.find(session, row.organisation_id, word) for word in typed]
    if row.gross > 0:
        payouts.pay(session, row, documents, today)
    elif len(documents) != 1:
        raise UsageRefused("What went back is of one document", "Name one, whole or in part.")
    elif documents[0].kind == CREDIT_NOTE:
        payout_returns.pay_back(session, row, documents[0], today)
    else:
        paid = payout_returns.find(session, row, documents[0])
        payout_returns.take_back(session, row, paid, today)
    return payout_lists.documents(session, [row]).get(row.id, [])


def _brought(
    session: Session, organisation: Organisation, payout: Payout, today: date
) -> list[BroughtPayment]:
    rows = payouts.write(session, organisation.id, payout, today)
    proposals = _proposals(rows, _expected(session, organisation))
    # What came in first: a refund may take back what the same payout brought.
    for row in sorted(rows, key=lambda row: row.gross < 0):
        _book(session, row, proposals.get(row.id), today)
    pays = payout_lists.documents(session, rows)
    kinds = payout_lists.kinds(session, rows)
    return [
        BroughtPayment(
            number=row.id,
            payout=payout,
            said=said,
            kind=kinds[row.id],
            pays=tuple(pays.get(row.id, ())),
            proposal=proposals.get(row.id),
        )
        for row, said in zip(rows, payout.payments, strict=True)
    ]


def _expected(session: Session, organisation: Organisation) -> list[Expected]:
    """Return what a card may pay: open documents of subscribers, and receipts that wait."""
    receipts = [
        expected
        for expected in awaited_money.expected(session, organisation)
        if not expected.reference.startswith(awaited_money.BY_BANK)
    ]
    return [*reconciling.invoices_expected(session, organisation, {}), *receipts]


def _proposals(
    rows: Sequence[PayoutPaymentRow], expected: Sequence[Expected]
) -> Mapping[int, Proposal]:
    """Return what each payment may be, by the rules for movements of a bank."""
    said = [
        Movement(
            booked_on=row.paid_on,
            units=row.gross,
            text=row.what,
            counterparty=row.payer,
            key=str(row.id),
        )
        for row in rows
        if row.gross
    ]
    return {
        int(proposal.movement.key): proposal
        for proposal in matching.propose(said, expected, returns={})
    }


def _book(session: Session, row: PayoutPaymentRow, proposal: Proposal | None, today: date) -> None:
    """Book a payment as what it certainly is, else aside."""
    if not row.gross:
        payouts.cost(session, row, today)
        return
    if proposal is not None and proposal.certainty == CERTAIN:
        _book_certain(session, row, proposal, today)
        return
    paid = payout_returns.taken_back(session, row) if row.gross < 0 else None
    if paid is not None:
        payout_returns.take_back(session, row, paid, today)
    else:
        payouts.park(session, row, today)


def _book_certain(session: Session, row: PayoutPaymentRow, proposal: Proposal, today: date) -> None:
    names = [expected.reference for expected in proposal.expected]
    if {expected.kind for expected in proposal.expected} != {INVOICE}:
        payouts.show_awaited(session, row, names, today)
        return
    documents = [open_items.find(session, row.organisation_id, name) for name in names]
    if row.gross < 0:
        payout_returns.pay_back(session, row, documents[0], today)
    else:
        payouts.pay(session, row, documents, today)
