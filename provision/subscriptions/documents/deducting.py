"""Invoices deduct what was paid of deposits for the same subscription, each cent once.

The final invoice has all its lines with all their VAT, since the VAT breakdown follows the lines
(EN 16931-1, BR-S-08, BR-CO-14). Deposits stand in the amount already paid (BT-113), and each is
named as a preceding invoice (BG-3: BT-25, BT-26); the French billing mode of such an invoice is S4
(XP Z12-012, BT-23). In the books it is the entry of every invoice, and beside it, for each
deposit, D 4191 and D 44571 for the VAT that the deposit had charged, C 411 (plan comptable
général, 4191 "avances et acomptes reçus sur commandes"): so VAT is collected once, and it is that
of the final invoice, also where the seller's regime has changed in between.

Only what was paid of a deposit is deducted, in the order in which deposits were issued, and up to
the whole of the invoice; the rest waits for the next one. A deposit that was credited is over:
its credit note is set against what is still open of older invoices (`reversals`).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, literal_column, select, true
from sqlalchemy.orm import aliased

from provision.database import insert_many
from provision.money import EUR, Amount, apportion
from provision.subscriptions.documents import drafts, open_items
from provision.subscriptions.documents.allocating import PAYMENT, RETURN
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.documents.models import (
    Allocation,
    DepositDeduction,
    Invoice,
    same_document,
)
from provision.subscriptions.ledger import chart, journal, posting
from provision.subscriptions.ledger.journal import Entry, Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from sqlalchemy import ColumnElement, ScalarSelect
    from sqlalchemy.orm import InstrumentedAttribute, Session

    from provision.database import Row
    from provision.money import Cents
    from provision.subscriptions.documents.drafts import Draft

KIND = "deposit"  # of what is set against the final invoice
REST = "rest"  # of what a credit note gives back of a deposit, set against an older invoice
# Written into the query: only so do both databases know that the index of deposits holds them all.
IS_DEPOSIT: ColumnElement[bool] = Invoice.kind == literal_column(f"'{drafts.DEPOSIT}'")


@dataclass
class Deposit:
    """What of a deposit's `net` and `vat` cents was paid, and deducted so far."""

    number: Number
    party: str
    net: Cents
    vat: Cents
    paid: Cents
    deducted_net: Cents = 0
    deducted_vat: Cents = 0

    @property
    def left(self) -> Cents:
        """The cents that can be deducted: paid, and not deducted yet."""
        return max(self.paid - self.deducted_net - self.deducted_vat, 0)

    def take(self, most: Cents) -> tuple[Cents, Cents]:
        """Take up to `most` cents of it, and return their net and VAT.

        The VAT of all that was taken is the deposit's in proportion: the last part has what
        remains.
        """
        units = min(most, self.left)
        upto = self.deducted_net + self.deducted_vat + units
        vat = apportion((self.vat, self.net), upto)[0] - self.deducted_vat
        self.deducted_net += units - vat
        self.deducted_vat += vat
        return units - vat, vat


@dataclass(frozen=True)
class _DeductedPart:
    """What the invoice `final` deducts of a deposit, as the `place`-th of its deductions."""

    final: Number
    place: int
    deposit: Number
    party: str
    net: Cents
    vat: Cents

    @property
    def gross(self) -> Cents:
        return self.net + self.vat


def deduct(session: Session, issued: Sequence[Draft], numbers: Sequence[Number], on: date) -> None:
    """Let the invoices among documents that were just issued deduct the deposits that wait.

    One question is asked for all of them together, and nothing more where no deposit waits.
    """
    owners = {draft.buyer.subscription_id or 0 for draft in issued if draft.kind == drafts.INVOICE}
    depositors = _depositors(session, owners - {0})
    if not depositors:
        return
    finals = [
        (draft, number)
        for draft, number in zip(issued, numbers, strict=True)
        if draft.kind == drafts.INVOICE and draft.buyer.subscription_id in depositors
    ]
    parts = list(_parts(finals, _waiting(session, Invoice.subscription_id.in_(depositors), on)))
    if parts:
        _write(session, parts, on)


def unspent(session: Session, on: date) -> set[int]:
    """Return the subscriptions for which something that was paid of a deposit waits on a day."""
    waiting = _waiting(session, true(), on)
    return {
        subscription_id
        for (_issuer, subscription_id), deposits in waiting.items()
        if any(deposit.left for deposit in deposits)
    }


def of_deposit(session: Session, number: Number) -> list[DepositDeduction]:
    """Return what was deducted of a deposit, the first part first."""
    deduction = DepositDeduction
    query = (
        select(deduction)
        .where(
            deduction.organisation_id == number.organisation_id,
            deduction.deposit_series == number.series,
            deduction.deposit_number == number.number,
        )
        .order_by(deduction.entry_number)
    )
    return list(session.scalars(query))


def deducted(column: InstrumentedAttribute[int]) -> ScalarSelect[int]:
    """Return the sum of a column of what was deducted of a deposit, for a query over Invoice."""
    deduction = DepositDeduction
    return (
        select(func.coalesce(func.sum(column), 0))
        .where(
            deduction.organisation_id == Invoice.organisation_id,
            deduction.deposit_series == Invoice.series,
            deduction.deposit_number == Invoice.number,
        )
        .correlate(Invoice)
        .scalar_subquery()
    )


def deducts() -> ColumnElement[bool]:
    """Return whether a deposit pays a part of a document, for a query over Invoice."""
    allocation = Allocation
    return (
        select(allocation.number)
        .where(
            same_document(allocation, Invoice),
            allocation.kind.in_((KIND, REST)),
        )
        .correlate(Invoice)
        .exists()
    )


def paid() -> ScalarSelect[int]:
    """Return the cents that were paid of a document and did not come back, for a query likewise."""
    return open_items.set_against(PAYMENT, RETURN)  # what pays a deposit: nothing but euros does


def is_credited() -> ColumnElement[bool]:
    """Return whether a document has a credit note, for a query over Invoice."""
    note = aliased(Invoice)
    return (
        select(note.number)
        .where(
            note.organisation_id == Invoice.organisation_id,
            note.credited_series == Invoice.series,
            note.credited_number == Invoice.number,
        )
        .correlate(Invoice)
        .exists()
    )


def _depositors(session: Session, owners: set[int]) -> set[int]:
    """Return for which of these subscriptions there ever was a deposit.

    Asked with two numbers and answered by the index of deposits alone: a question that names each
    of two thousand subscriptions takes longer to ask than to answer.
    """
    if not owners:
        return set()
    asked = select(Invoice.subscription_id).where(
        IS_DEPOSIT, Invoice.subscription_id.between(min(owners), max(owners))
    )
    return owners.intersection(owner or 0 for owner in session.scalars(asked))


def _waiting(
    session: Session, whose: ColumnElement[bool], on: date
) -> dict[tuple[int, int], list[Deposit]]:
    """Return the deposits of up to a day that were not credited, by issuer and subscription."""
    columns = (
        Invoice.organisation_id,
        Invoice.subscription_id,
        Invoice.series,
        Invoice.number,
        Invoice.party,
        Invoice.net,
        Invoice.vat,
        paid(),
        deducted(DepositDeduction.net),
        deducted(DepositDeduction.vat),
    )
    query = (
        select(*columns)
        .where(
            IS_DEPOSIT,
            whose,
            Invoice.issued_on <= on,
            ~is_credited(),
        )
        .order_by(Invoice.entry_number)
    )
    deposits: dict[tuple[int, int], list[Deposit]] = defaultdict(list)
    for owner, subscription_id, series, number, party, *cents in session.execute(query):
        deposit = Deposit(Number(owner, series, number), party, *(int(units) for units in cents))
        deposits[owner, subscription_id or 0].append(deposit)
    return deposits


def _parts(
    finals: Iterable[tuple[Draft, Number]], waiting: Mapping[tuple[int, int], list[Deposit]]
) -> Iterator[_DeductedPart]:
    """Yield who deducts what: invoices and deposits both in the order in which they were issued."""
    for draft, number in finals:
        rest, place = draft.net + draft.vat, 0
        for deposit in waiting.get((draft.issuer_id, draft.buyer.subscription_id or 0), ()):
            net, vat = deposit.take(rest)
            if net + vat:
                place += 1
                rest -= net + vat
                yield _DeductedPart(number, place, deposit.number, deposit.party, net, vat)


def _write(session: Session, parts: Sequence[_DeductedPart], on: date) -> None:
    entries = posting.post_new(session, [_entry(part, on) for part in parts], on)
    both = list(zip(parts, entries, strict=True))
    insert_many(session, DepositDeduction, [_deduction(part, entry, on) for part, entry in both])
    insert_many(session, Allocation, [_allocation(part, entry, on) for part, entry in both])


def _entry(part: _DeductedPart, on: date) -> Entry:
    amounts = (
        (chart.CUSTOMER_DEPOSITS, part.net, part.party),
        (chart.VAT_COLLECTED, part.vat, ""),
        (chart.CUSTOMERS, -part.gross, part.party),
    )
    return Entry(
        organisation_id=part.final.organisation_id,
        effective_on=on,
        text=f"Acompte {part.deposit.shown} déduit de {part.final.shown}",
        key=f"deduction:{part.final.shown}:{part.deposit.shown}",
        lines=tuple(
            Line(account, Amount(EUR, units), party) for account, units, party in amounts if units
        ),
        journal=journal.SALES,
        piece=part.final.shown,
    )


def _deduction(part: _DeductedPart, entry_number: int, on: date) -> Row:
    return {
        **part.final.columns,
        "deposit_series": part.deposit.series,
        "deposit_number": part.deposit.number,
        "net": part.net,
        "vat": part.vat,
        "entry_number": entry_number,
        "deducted_on": on,
    }


def _allocation(part: _DeductedPart, entry_number: int, on: date) -> Row:
    """Return what is set against the invoice: it is new, so its places begin at 1."""
    return {
        **part.final.columns,
        "position": part.place,
        "units": part.gross,
        "kind": KIND,
        "entry_number": entry_number,
        "allocated_on": on,
    }
