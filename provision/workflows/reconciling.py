"""What the movements of a bank may mean, and the booking of what is certain: never a guess."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.errors import PaquetError, UsageRefused
from provision.formats.bank import matching
from provision.formats.bank.candidates import AWAITED, COLLECTION, DEBIT, INVOICE, RETURN, Expected
from provision.formats.bank.proposals import CERTAIN
from provision.subscriptions.documents import open_items
from provision.subscriptions.documents.drafts import CREDIT_NOTE
from provision.subscriptions.parties import people
from provision.subscriptions.payments import (
    answers,
    awaited_money,
    batches,
    mandates,
    movements,
    paying,
    returns,
)
from provision.subscriptions.payments.models import Collection, MandateRow
from provision.subscriptions.payments.returns import CameBack
from provision.subscriptions.settling import transfers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.formats.bank.proposals import Proposal
    from provision.registry.states import Told
    from provision.subscriptions.documents.issuing import Number
    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.payments.models import BankMovement, CollectionItem

FIRST_GROUP = "-1"  # what the only group of debits in a file adds to its message id


@dataclass(frozen=True)
class Seen:
    """A movement that is not booked, whether it is parked, and what it may be."""

    row: BankMovement
    parked: bool
    proposal: Proposal | None


@dataclass(frozen=True)
class BookedMovement:
    """A movement whose proposal is certain, and why it could not be booked, or ''."""

    seen: Seen
    refused: str


def propose(session: Session, organisation: Organisation) -> list[Seen]:
    """Return all movements that are not explained, with what each may be."""
    rows = movements.unexplained(session, organisation.id)
    said = [movements.read(row) for row, _parked in rows]
    running = answers.running(session, organisation.id)
    known = [
        *answers.paid(session, organisation.id),
        *(item for items in running.values() for item in items),
    ]
    names = {
        reference: " ".join(answers.number_of(item).shown for item in items)
        for reference, items in answers.by_debit(known).items()
    }
    expected = _expected(session, organisation, running)
    proposals = matching.propose(said, expected, returns=names)
    by_movement = {proposal.movement.key: proposal for proposal in proposals}
    return [
        Seen(row, parked, by_movement.get(movement.key))
        for (row, parked), movement in zip(rows, said, strict=True)
    ]


def accept_certain(
    session: Session, organisation: Organisation, today: date, told: Told
) -> list[BookedMovement]:
    """Book the movements whose proposal is certain; what comes back, after what was paid.

    One that the books refuse is left as it is, with the reason.
    """
    certain = [
        seen
        for seen in propose(session, organisation)
        if seen.proposal is not None and seen.proposal.certainty == CERTAIN and not seen.parked
    ]
    certain.sort(key=lambda seen: seen.row.units < 0)
    return [BookedMovement(seen, _accepted(session, seen, today, told)) for seen in certain]


def _accepted(session: Session, seen: Seen, today: date, told: Told) -> str:
    """Book one movement, all of it or nothing; return why not, or ''."""
    try:
        with session.begin_nested():
            _book(session, seen, today, told)
    except PaquetError as refused:
        return refused.message
    return ""


def _book(session: Session, seen: Seen, today: date, told: Told) -> None:
    if seen.proposal is None:
        raise UsageRefused(f"Nothing is known of movement {seen.row.id}")
    expected, row = seen.proposal.expected, seen.row
    kinds = {expectation.kind for expectation in expected}
    if kinds <= {COLLECTION, DEBIT}:
        batches.credit_batch(session, row, expected[0].reference, today)
    elif kinds == {RETURN}:
        movement = movements.read(row)
        why = {part.end_to_end: part.reason for part in movement.details}
        came_back = [
            CameBack(reference, -expectation.units, why.get(reference) or movement.reason)
            for expectation in expected
            for reference in expectation.end_to_ends
        ]
        returns.take_back(session, row, came_back, (today, told))
    elif kinds == {INVOICE}:
        documents = [
            open_items.find(session, row.organisation_id, expectation.reference)
            for expectation in expected
        ]
        if documents[0].kind == CREDIT_NOTE:
            paying.refund(session, row, documents[0], today)
        else:
            paying.pay(session, row, documents, today)
    elif kinds == {AWAITED}:
        awaited_money.bank(session, row, [expectation.reference for expectation in expected], today)
    else:
        transfers.book(session, row, expected[0].reference, today)


def _expected(
    session: Session, organisation: Organisation, running: dict[str, list[CollectionItem]]
) -> list[Expected]:
    debits: dict[Number, set[str]] = {}
    for items in running.values():
        for item in items:
            debits.setdefault(answers.number_of(item), set()).add(item.reference)
    expected_lines = invoices_expected(session, organisation, debits)
    for message_id, items in running.items():
        expected_lines += _collected(session, message_id, items)
    return [
        *expected_lines,
        *transfers.expected(session, organisation),
        *awaited_money.expected(session, organisation),
    ]


def invoices_expected(
    session: Session, organisation: Organisation, debits: Mapping[Number, set[str]]
) -> list[Expected]:
    """Return the open documents of subscribers, with the debits that are to pay each."""
    rows = {row.subscriber_id: row for row in mandates.everyone(session, organisation.id)}
    expected_lines = []
    for document in open_items.everything(session, organisation.id):
        if document.party.startswith(people.ORGANISATION):
            continue  # both their books have it: `transfers` waits for it
        row = rows.get(document.subscriber_id or 0)
        names = (row.holder if row else "", document.name)
        expected_lines.append(
            Expected(
                kind=INVOICE,
                reference=document.shown,
                units=-document.units if document.kind == CREDIT_NOTE else document.units,
                end_to_ends=frozenset(debits.get(document.number, ())),
                names=tuple(dict.fromkeys(name for name in names if name)),
                iban=row.iban if row else "",
                due_on=document.due_on,
            )
        )
    return expected_lines


def _collected(
    session: Session, message_id: str, items: Sequence[CollectionItem]
) -> list[Expected]:
    """Return a batch, and each debit in it: a bank may credit them one by one.

    A bank may name the batch by its message or by its only group of debits.
    """
    collection = session.get_one(Collection, (items[0].organisation_id, items[0].collection))
    batch = Expected(
        kind=COLLECTION,
        reference=message_id,
        units=sum(item.units for item in items),
        end_to_ends=frozenset({item.reference for item in items} | {message_id + FIRST_GROUP}),
        names=(),
        iban="",
        due_on=collection.collect_on,
    )
    debits = answers.by_debit(items).values()
    return [batch, *(_debit(session, some, collection.collect_on) for some in debits)]


def _debit(session: Session, items: Sequence[CollectionItem], collect_on: date) -> Expected:
    reference = items[0].reference
    return Expected(
        kind=DEBIT,
        reference=reference,
        units=sum(item.units for item in items),
        end_to_ends=frozenset({reference}),
        names=(),
        iban="",
        due_on=collect_on,
        mandate=session.get_one(MandateRow, items[0].mandate_id).reference,
    )
