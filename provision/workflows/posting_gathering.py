"""What should have a letter and has none yet: found, and written into the outbox once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, time
from typing import TYPE_CHECKING

from sqlalchemy import Text, cast, exists, func, literal, select

from provision import database
from provision.errors import PaquetError
from provision.post import addresses, gathered, outbox
from provision.post.gathered import SeenSeries
from provision.post.masking import masked
from provision.post.models import Letter
from provision.post.outbox import NewLetter
from provision.registry.models import Order
from provision.subscriptions.commons.receipts import copies, papers, recording
from provision.subscriptions.documents import numbering
from provision.subscriptions.documents.drafts import CREDIT_NOTE, DEPOSIT, INVOICE
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.parties import organisations, people
from provision.subscriptions.parties.models import Organisation, PersonReference
from provision.subscriptions.payments import collection_rows, handing_over
from provision.workflows import names, posting_words
from provision.workflows.posting_words import (
    IssuedDocument,
    ReceiptOriginal,
    Welcomed,
    Writers,
    recipients,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from sqlalchemy import Row, Select
    from sqlalchemy.orm import Session

    from provision.post.outbox import Recipient
    from provision.subscriptions.documents.receipt_models import Receipt
    from provision.subscriptions.payments.handing_over import ToldDebit
    from provision.subscriptions.payments.models import Collection
    from provision.workflows.control import Control


TO_COME = "is written first"


@dataclass(frozen=True)
class Candidate:
    """What may need a letter: its key, for whom, and what makes the letter, or returns None."""

    key: str
    subscriber_id: int
    make: Callable[[Recipient], NewLetter | None]


@dataclass(frozen=True)
class MissingLetters:
    """Letters that are missing, and how far that looked through a series of documents."""

    letters: list[NewLetter]
    seen: SeenSeries | None = None


@dataclass(frozen=True)
class MissingReceipt:
    """A receipt of which nobody has the original, by its organisation and number, and its giver."""

    organisation_id: int
    shown: str
    to: Recipient


@dataclass(frozen=True)
class ComingLetter:
    """A letter that would be written now."""

    kind: str
    to: Recipient
    subject: str
    is_on_paper: bool


def gather(control: Control) -> Counter[str]:
    """Write every letter that is missing, and return how many of each kind."""
    written: Counter[str] = Counter()
    for part in _parts(control):

        def work(session: Session, part: MissingLetters = part) -> int:
            outbox.alone(session)
            if part.seen is not None and control.settings.post.since is not None:
                gathered.note(session, part.seen, control.settings.post.since)
            return outbox.write_many(session, part.letters, control.clock())

        if database.retried(control.engine, work):
            written.update(letter.kind for letter in part.letters)
    for receipt in missing_receipts(control):
        if _give_receipt(control, receipt.organisation_id, receipt.shown):
            written[posting_words.RECEIPT] += 1
    return written


def coming(control: Control) -> list[ComingLetter]:
    """Return what `gather` would write; of a receipt the subject is its number."""
    missing = [
        (letter.kind, letter.to, letter.subject)
        for part in _parts(control)
        for letter in part.letters
    ]
    receipts = missing_receipts(control)
    missing += [(posting_words.RECEIPT, receipt.to, receipt.shown) for receipt in receipts]
    with control.reading() as session:
        gone = addresses.unreachable(session, (to.email for _kind, to, _subject in missing))
    return [
        ComingLetter(kind, to, subject, not to.email or to.email in gone)
        for kind, to, subject in missing
    ]


def _parts(control: Control) -> Iterator[MissingLetters]:
    """Yield the letters that are missing, some thousands at a time; receipts are apart."""
    since = control.settings.post.since
    if since is None:
        return
    with control.reading() as session:
        writers = Writers(session, control.settings, control.today())
        yield from _documents(session, writers, since)
        debits = _debits(session, writers, since, control.tell)
        for source in (debits, _welcomes(session, writers, since)):
            for candidates in database.pieces(list(source)):
                yield MissingLetters(_letters(session, candidates))


def _letters(session: Session, candidates: Sequence[Candidate]) -> list[NewLetter]:
    used = outbox.used(session, [candidate.key for candidate in candidates])
    new = [candidate for candidate in candidates if candidate.key not in used]
    known = recipients(session, (candidate.subscriber_id for candidate in new))
    letters = [
        candidate.make(known[candidate.subscriber_id])
        for candidate in new
        if candidate.subscriber_id in known
    ]
    return [letter for letter in letters if letter is not None]


def _documents(session: Session, writers: Writers, since: date) -> Iterator[MissingLetters]:
    """Yield what is missing of each series of invoices, from where it was looked through before."""
    seen = gathered.numbers(session, since)
    series = (Invoice.organisation_id, Invoice.series)
    heads = select(*series, func.max(Invoice.number)).group_by(*series).order_by(*series)
    for organisation_id, name, head in session.execute(heads).all():
        done = seen.get((organisation_id, name), 0)
        while done < head:
            after = (Invoice.organisation_id == organisation_id, Invoice.series == name)
            rows = session.execute(
                _issued(since).where(*after, Invoice.number > done, Invoice.number <= head)
            ).all()
            done = rows[-1].number if len(rows) == database.PIECE else head
            candidates = [_of_document(writers, row) for row in rows]
            place = SeenSeries(organisation_id, name, done)
            yield MissingLetters(_letters(session, candidates), place)


def _issued(since: date) -> Select[int, str, int, str, date, date, int, int]:
    """Select invoices and credit notes of subscribers; organisations settle among themselves."""
    return (
        select(
            Invoice.organisation_id,
            Invoice.series,
            Invoice.number,
            Invoice.kind,
            Invoice.issued_on,
            Invoice.due_on,
            Invoice.gross,
            PersonReference.subscriber_id,
        )
        .join(PersonReference, PersonReference.reference == Invoice.party)
        .where(Invoice.issued_on >= since, Invoice.kind.in_((INVOICE, CREDIT_NOTE, DEPOSIT)))
        .order_by(Invoice.number)
        .limit(database.PIECE)
    )


def _of_document(writers: Writers, row: Row[int, str, int, str, date, date, int, int]) -> Candidate:
    document = IssuedDocument(Number(*row[:3]), *row[3:])

    def make(to: Recipient) -> NewLetter:
        sender = writers.of(document.number.organisation_id)
        return posting_words.of_document(document, sender, to, writers.today)

    return Candidate(posting_words.reference(document.number), document.subscriber_id, make)


def _debits(
    session: Session, writers: Writers, since: date, tell: Callable[[str], None]
) -> Iterator[Candidate]:
    """Yield the debits that were announced and are still to come."""
    for collection in collection_rows.coming(session, writers.today):
        if collection_rows.made_on(collection) >= since:
            try:
                yield from _of_collection(session, writers, collection)
            except PaquetError as refused:  # of one organisation: the others are written to
                tell(f"collection {collection.number}: {masked(refused.message)}")


def _of_collection(
    session: Session, writers: Writers, collection: Collection
) -> Iterator[Candidate]:
    organisation = session.get_one(Organisation, collection.organisation_id)
    sender = writers.of(organisation.id)
    for debit in handing_over.debits(session, organisation, collection):
        key = f"{posting_words.DEBIT}:{organisation.id}:{debit.reference}"

        def make(to: Recipient, key: str = key, debit: ToldDebit = debit) -> NewLetter | None:
            try:
                letter = debit.letter()
            except PaquetError:
                return None  # its mandate ended meanwhile: nothing will be debited
            words = (letter.subject, letter.text, letter.html)
            kind, today = posting_words.DEBIT, writers.today
            return NewLetter(key, kind, today, sender, to, *words)

        yield Candidate(key, debit.row.subscriber_id, make)


def _welcomes(session: Session, writers: Writers, since: date) -> Iterator[Candidate]:
    """Yield the orders that were delivered, and whose bundle is there."""
    morning = datetime.combine(since, time()).astimezone()
    key = literal(f"{posting_words.WELCOME}:").concat(cast(Order.id, Text))
    delivered = select(Order).where(
        Order.state == "delivered",
        Order.placed_at >= morning,
        ~exists().where(Letter.key == key),
    )
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


def missing_receipts(control: Control) -> list[MissingReceipt]:
    """Return the receipts of which nobody got the original yet.

    They are those of subscribers who can be written to: who gave otherwise gets it by hand.
    """
    since = control.settings.post.since
    if since is None:
        return []
    with control.reading() as session:
        receipts = copies.unwritten(session, copies.uncopied(session, since))
        givers = people.subscribers_of(session, [receipt.party for receipt in receipts])
        known = recipients(session, givers.values())
        return [
            MissingReceipt(
                receipt.organisation_id, numbering.shown(receipt.series, receipt.number), to
            )
            for receipt in receipts
            if (to := known.get(givers.get(receipt.party, 0))) and (to.email or to.address)
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
        control.tell(f"{shown}: {masked(refused.message)}")
        return False


def _giver(session: Session, receipt: Receipt) -> Recipient | None:
    number = people.subscriber_of(session, receipt.party)
    if number is None:
        return None
    to = recipients(session, [number]).get(number)
    return to if to and (to.email or to.address) else None
