"""The credit of a batch on a statement: all its debits are paid at once.

A batch is booked in two entries, so that 511 says what is on its way and comes to zero: D 512
C 511 for what the statement shows, and D 511 C 411 for every debit in it. What a debit paid
beyond what was still open (the customer had paid by transfer too) is the customer's credit, 4197.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.errors import UsageRefused
from provision.money import show_euros
from provision.subscriptions.documents import allocating, open_items
from provision.subscriptions.documents.allocating import PAYMENT
from provision.subscriptions.ledger import chart, journal, posting
from provision.subscriptions.ledger.journal import Entry
from provision.subscriptions.payments import answers, booking
from provision.subscriptions.payments.booking import Booking, line
from provision.subscriptions.payments.models import BankStatement

if TYPE_CHECKING:
    from collections.abc import Collection as AnyOf
    from collections.abc import Mapping, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.subscriptions.documents.issuing import Number
    from provision.subscriptions.documents.open_items import OpenItem
    from provision.subscriptions.payments.models import BankMovement, CollectionItem

COLLECTED = "collection"


def credit_batch(
    session: Session,
    row: BankMovement,
    name: str,
    today: date,
    without: AnyOf[str] = (),
) -> int:
    """Book a file's debits as paid by a movement, `without` those that the bank refused.

    `name` is the message id of the file, or the EndToEndId of a debit that was credited alone.
    Returns how many were paid. Raises UsageRefused unless they add up to the movement.
    """
    message_id, items = _waiting(session, row.organisation_id, name)
    if not items:
        raise UsageRefused(
            f"No debit of {name[:40]!r} waits for an answer", "See: paquet payment list"
        )
    unknown = set(without) - {item.reference for item in items}
    if unknown:
        raise UsageRefused(f"{min(unknown)[:40]!r} is not in {name}")
    chosen = [item for item in items if item.reference not in without]
    total = sum(item.units for item in chosen)
    if total != row.units:
        raise UsageRefused(
            f"The debits of {name} add up to {show_euros(total)}, and movement {row.id} is "
            f"{show_euros(row.units)}",
            "Name those that the bank refused: --without REFERENCE.",
        )
    lines = (line(chart.BEING_COLLECTED, -total),)
    booking.book(session, row, Booking(COLLECTED, f"Prélèvements {name}", lines), today)
    _pay_all(session, row, message_id, chosen, today)
    for item in items:
        if item.reference in without:
            answers.answer(session, item, (answers.REFUSED, ""), None, row.booked_on)
    return len(answers.by_debit(chosen))


def _waiting(session: Session, organisation_id: int, name: str) -> tuple[str, list[CollectionItem]]:
    """Return the message id and the running debits of a file, or of one debit alone."""
    running = answers.running(session, organisation_id)
    for message_id, items in running.items():
        alone = [item for item in items if item.reference == name]
        if alone or message_id == name:
            return message_id, alone or items
    return name, []


def _pay_all(
    session: Session,
    row: BankMovement,
    message_id: str,
    items: Sequence[CollectionItem],
    today: date,
) -> None:
    """Pay the invoices of a batch in one entry, and answer its debits."""
    every = _owed_by(session, row.organisation_id, items)
    parts = [(item, document, min(document.units, item.units)) for item, document in every]
    lines = [line(chart.BEING_COLLECTED, sum(item.units for item in items))]
    for item, document, units in parts:
        amounts = ((chart.CUSTOMERS, units), (chart.CUSTOMER_CREDIT, item.units - units))
        lines += [line(account, -part, document.party) for account, part in amounts if part]
    statement = session.get_one(BankStatement, row.statement_id)
    entry = Entry(
        organisation_id=row.organisation_id,
        effective_on=booking.open_day(session, row.organisation_id, row.booked_on),
        text=f"Prélèvements payés {message_id}",
        key=f"collected:{message_id}:{row.id}",
        lines=tuple(lines),
        journal=journal.BANK,
        piece=message_id,
        evidence=statement.digest,
    )
    entry_number = posting.post(session, entry, today).number
    for item, document, units in parts:
        if units:
            entry_of = (entry_number, row.booked_on)
            allocating.allocate(session, document.number, units, PAYMENT, entry_of)
        answers.answer(session, item, (answers.PAID, ""), entry_number, row.booked_on)


def _owed_by(
    session: Session, organisation_id: int, items: Sequence[CollectionItem]
) -> list[tuple[CollectionItem, OpenItem]]:
    """Return each debit with what is open on its invoice now."""
    still: Mapping[Number, OpenItem] = {
        document.number: document for document in open_items.everything(session, organisation_id)
    }
    numbers = [answers.number_of(item) for item in items]
    return [
        (item, still[number] if number in still else open_items.of(session, number))
        for item, number in zip(items, numbers, strict=True)
    ]
