"""What the bank made of our debits: paid, refused, or paid and taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision.errors import UsageRefused
from provision.formats.bank.candidates import end_to_ends
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.payments import movements
from provision.subscriptions.payments.models import (
    Collection,
    CollectionAnswer,
    CollectionFile,
    CollectionItem,
    MandateRow,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from provision.subscriptions.payments.models import BankMovement

PAID, REFUSED, RETURNED = "paid", "refused", "returned"
COLLECTED, RETURN = "collection", "return"


def running(session: Session, organisation_id: int) -> dict[str, list[CollectionItem]]:
    """Return what debits are to pay that nobody answered yet, by the message id of their file."""
    rows = session.execute(
        select(CollectionFile.message_id, CollectionItem)
        .join(CollectionItem, _same_file())
        .outerjoin(CollectionAnswer, _same_debit())
        .where(CollectionItem.organisation_id == organisation_id, CollectionAnswer.state.is_(None))
        .order_by(CollectionItem.collection, CollectionItem.position)
    )
    by_message: dict[str, list[CollectionItem]] = {}
    for message_id, item in rows:
        by_message.setdefault(message_id, []).append(item)
    return by_message


def is_collected() -> ColumnElement[bool]:
    """Return whether a debit of a document runs, for a query over Invoice."""
    return (
        select(CollectionItem.position)
        .outerjoin(CollectionAnswer, _same_debit())
        .where(
            CollectionItem.organisation_id == Invoice.organisation_id,
            CollectionItem.series == Invoice.series,
            CollectionItem.invoice == Invoice.number,
            CollectionAnswer.state.is_(None),
        )
        .correlate(Invoice)
        .exists()
    )


def awaited(
    session: Session, organisation_id: int, reference: str
) -> tuple[date, MandateRow] | None:
    """Return the day and the mandate of a debit that nobody answered yet, by its EndToEndId."""
    alone = (CollectionItem.debit == "") & (CollectionItem.end_to_end == reference)
    row = session.execute(
        select(Collection.collect_on, MandateRow)
        .select_from(CollectionItem)
        .join(
            Collection,
            (Collection.organisation_id == CollectionItem.organisation_id)
            & (Collection.number == CollectionItem.collection),
        )
        .join(MandateRow, MandateRow.id == CollectionItem.mandate_id)
        .outerjoin(CollectionAnswer, _same_debit())
        .where(
            CollectionItem.organisation_id == organisation_id,
            (CollectionItem.debit == reference) | alone,
            CollectionAnswer.state.is_(None),
        )
    ).first()
    return None if row is None else (row[0], row[1])


def number_of(item: CollectionItem) -> Number:
    """Return the number of the invoice that is collected."""
    return Number(item.organisation_id, item.series, item.invoice)


def by_debit(items: Iterable[CollectionItem]) -> dict[str, list[CollectionItem]]:
    """Return what each debit pays, by the EndToEndId that the bank knows."""
    debits: dict[str, list[CollectionItem]] = {}
    for item in items:
        debits.setdefault(item.reference, []).append(item)
    return debits


def paid(session: Session, organisation_id: int) -> list[CollectionItem]:
    """Return what debits paid that have not come back."""
    last = (
        select(func.max(CollectionAnswer.position))
        .where(_same_debit())
        .correlate(CollectionItem)
        .scalar_subquery()
    )
    return list(
        session.scalars(
            select(CollectionItem)
            .join(CollectionAnswer, _same_debit() & (CollectionAnswer.position == last))
            .where(
                CollectionItem.organisation_id == organisation_id, CollectionAnswer.state == PAID
            )
        )
    )


def paid_alone(
    session: Session, row: BankMovement, numbers: Sequence[Number], entry_number: int
) -> None:
    """Answer the running debits of these invoices that a movement names: it paid them alone.

    A debit is answered for every invoice that it was to pay.
    """
    named = end_to_ends(movements.read(row))
    for items in running(session, row.organisation_id).values():
        meant = {
            collection_item.reference
            for collection_item in items
            if number_of(collection_item) in numbers
        } & named
        for item in items:
            if item.reference in meant:
                answer(session, item, (PAID, ""), entry_number, row.booked_on)


def refuse(session: Session, organisation_id: int, end_to_end: str, when: tuple[date, str]) -> None:
    """Say that the bank will not pay a debit, on which day and why: it can be collected again."""
    on, why = when
    every = [item for items in running(session, organisation_id).values() for item in items]
    meant = [item for item in every if item.reference == end_to_end]
    for item in meant:
        answer(session, item, (REFUSED, why), None, on)
    if meant:
        return
    raise UsageRefused(f"No debit {end_to_end[:40]!r} waits for an answer", "Copy it once more.")


def answer(
    session: Session,
    item: CollectionItem,
    state: tuple[str, str],
    entry_number: int | None,
    on: date,
) -> None:
    """Write what became of a debit: its state, and the reason."""
    session.add(
        CollectionAnswer(
            organisation_id=item.organisation_id,
            end_to_end=item.end_to_end,
            position=2 if state[0] == RETURNED else 1,
            state=state[0],
            reason=state[1],
            entry_number=entry_number,
            answered_on=on,
        )
    )
    session.flush()


def _same_file() -> ColumnElement[bool]:
    return (
        (CollectionItem.organisation_id == CollectionFile.organisation_id)
        & (CollectionItem.collection == CollectionFile.collection)
        & (CollectionItem.file == CollectionFile.position)
    )


def _same_debit() -> ColumnElement[bool]:
    return (CollectionAnswer.organisation_id == CollectionItem.organisation_id) & (
        CollectionAnswer.end_to_end == CollectionItem.end_to_end
    )
