"""What should have a letter and has none yet: found, and written into the outbox once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, time
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision import database
from provision.errors import PaquetError
from provision.post import outbox
from provision.post.outbox import NewLetter
from provision.registry.models import Order
from provision.subscriptions.commons.receipts import copies, papers, recording
from provision.subscriptions.documents import numbering
from provision.subscriptions.documents.drafts import CREDIT_NOTE, DEPOSIT, INVOICE
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.parties import organisations, people
from provision.subscriptions.parties.models import Organisation, PersonReference
from provision.subscriptions.payments import answers, collection_rows, handing_over
from provision.workflows import names, posting_words
from provision.workflows.posting_words import (
    PIECE,
    IssuedDocument,
    ReceiptOriginal,
    Welcomed,
    Writers,
    recipients,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.post.outbox import Recipient
    from provision.subscriptions.documents.receipt_models import Receipt
    from provision.subscriptions.payments.handing_over import ToldDebit
    from provision.subscriptions.payments.models import Collection
    from provision.workflows.control import Control


@dataclass(frozen=True)
class Candidate:
    """What may need a letter: its key, for whom, and what makes the letter, or returns None."""

    key: str
    subscriber_id: int
    make: Callable[[Recipient], NewLetter | None]


def gather(control: Control) -> Counter[str]:
    """Write every letter that is missing, and return how many of each kind."""
    written: Counter[str] = Counter()
    for letters in missing(control):

        def work(session: Session, letters: list[NewLetter] = letters) -> int:
            outbox.alone(session)
            return outbox.write_many(session, letters, control.clock())

        if database.retried(control.engine, work):
            written.update(letter.kind for letter in letters)
    for organisation_id, shown in missing_receipts(control):
        if _give_receipt(control, organisation_id, shown):
            written[posting_words.RECEIPT] += 1
    return written


def missing(control: Control) -> Iterator[list[NewLetter]]:
    """Yield the letters that are missing, some thousands at a time; receipts are apart."""
    since = control.settings.post.since
    if since is None:
        return
    with control.reading() as session:
        writers = Writers(session, control.settings, control.today())
        for source in (_documents, _debits, _welcomes):
            yield from _made(session, list(source(session, writers, since)))


def _made(session: Session, candidates: list[Candidate]) -> Iterator[list[NewLetter]]:
    for start in range(0, len(candidates), PIECE):
        part = candidates[start : start + PIECE]
        used = outbox.used(session, [candidate.key for candidate in part])
        new = [candidate for candidate in part if candidate.key not in used]
        known = recipients(session, (candidate.subscriber_id for candidate in new))
        letters = [
            candidate.make(known[candidate.subscriber_id])
            for candidate in new
            if candidate.subscriber_id in known
        ]
        if written := [letter for letter in letters if letter is not None]:
            yield written


def _documents(session: Session, writers: Writers, since: date) -> Iterator[Candidate]:
    """Yield the invoices and credit notes of subscribers; organisations settle among themselves."""
    columns = (Invoice.organisation_id, Invoice.series, Invoice.number)
    issued = (
        select(
            *columns,
            Invoice.kind,
            Invoice.issued_on,
            Invoice.due_on,
            Invoice.gross,
            PersonReference.subscriber_id,
        )
        .join(PersonReference, PersonReference.reference == Invoice.party)
        .where(Invoice.issued_on >= since, Invoice.kind.in_((INVOICE, CREDIT_NOTE, DEPOSIT)))
        .order_by(*columns)
    )
    for row in session.execute(issued):
        document = IssuedDocument(Number(*row[:3]), *row[3:])

        def make(to: Recipient, document: IssuedDocument = document) -> NewLetter:
            sender = writers.of(document.number.organisation_id)
            return posting_words.of_document(document, sender, to, writers.today)

        key = posting_words.reference(document.number)
        yield Candidate(key, document.subscriber_id, make)


def _debits(session: Session, writers: Writers, since: date) -> Iterator[Candidate]:
    """Yield the debits that were announced and are still to come."""
    for organisation in organisations.everyone(session):
        for collection in collection_rows.everyone(session, organisation.id):
            is_told = collection_rows.made_on(collection) >= since
            if is_told and collection.collect_on > writers.today:
                yield from _of_collection(session, writers, organisation, collection)


def _of_collection(
    session: Session, writers: Writers, organisation: Organisation, collection: Collection
) -> Iterator[Candidate]:
    sender = writers.of(organisation.id)
    for debit in handing_over.debits(session, organisation, collection):
        key = f"{posting_words.DEBIT}:{organisation.id}:{debit.reference}"

        def make(to: Recipient, key: str = key, debit: ToldDebit = debit) -> NewLetter | None:
            try:
                letter = debit.letter()
            except PaquetError:
                return None  # its mandate ended meanwhile: nothing will be debited
            about = tuple(posting_words.reference(answers.number_of(item)) for item in debit.items)
            words = (letter.subject, letter.text, letter.html)
            kind, today = posting_words.DEBIT, writers.today
            return NewLetter(key, kind, today, sender, to, *words, about=about)

        yield Candidate(key, debit.row.subscriber_id, make)


def _welcomes(session: Session, writers: Writers, since: date) -> Iterator[Candidate]:
    """Yield the orders that were delivered, and whose bundle is there."""
    morning = datetime.combine(since, time()).astimezone()
    delivered = select(Order).where(Order.state == "delivered", Order.placed_at >= morning)
    for order in session.scalars(delivered.order_by(Order.id)):

        def make(to: Recipient, order: Order = order) -> NewLetter | None:
            if order.bundle.state != "active" or not order.bundle.users:
                return None
            domain, address = order.bundle.domain, order.bundle.users[0].address
            host = names.cloud_host(domain, writers.settings)
            seller = organisations.named(session, str(order.wish["sold_by"]))
            sender = writers.of(seller.id) if seller else writers.operator
            welcomed = Welcomed(order.id, domain, host, address)
            return posting_words.of_order(welcomed, sender, to, writers.today)

        yield Candidate(f"{posting_words.WELCOME}:{order.id}", order.subscriber_id, make)


def missing_receipts(control: Control) -> list[tuple[int, str]]:
    """Return the receipts, by organisation and number, of which nobody got the original yet.

    They are those of subscribers who can be written to: who gave otherwise gets it by hand.
    """
    since = control.settings.post.since
    if since is None:
        return []
    with control.reading() as session:
        return [
            (receipt.organisation_id, numbering.shown(receipt.series, receipt.number))
            for organisation in organisations.everyone(session)
            for receipt in copies.unwritten(
                session, recording.everyone(session, organisation, since)
            )
            if _giver(session, receipt) is not None
        ]


def _give_receipt(control: Control, organisation_id: int, shown: str) -> bool:
    """Draw the original, then write down that it is handed out, and the letter with it, or neither.

    False when it cannot be drawn, or somebody was faster: it is not given twice.
    """
    try:
        with control.reading() as session:
            owner = session.get_one(Organisation, organisation_id)
            receipt = recording.find(session, owner, shown)
            drawn, to = papers.copy(session, receipt), _giver(session, receipt)
        if to is None:
            return False
        with control.session() as session:
            outbox.alone(session)
            owner = session.get_one(Organisation, organisation_id)
            receipt = recording.find(session, owner, shown)
            papers.hand_out(session, receipt, drawn, control.today())
            original = ReceiptOriginal(
                organisation_id, receipt.kind, shown, receipt.units, receipt.received_on, drawn.pdf
            )
            writers = Writers(session, control.settings, control.today())
            sender = writers.of(organisation_id)
            letter = posting_words.of_receipt(original, sender, to, control.today())
            return outbox.write(session, letter, control.clock())
    except PaquetError as refused:
        control.tell(f"{shown}: {refused.message}")
        return False


def _giver(session: Session, receipt: Receipt) -> Recipient | None:
    number = people.subscriber_of(session, receipt.party)
    if number is None:
        return None
    to = recipients(session, [number]).get(number)
    return to if to and (to.email or to.address) else None
