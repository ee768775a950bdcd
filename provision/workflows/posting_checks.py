"""Before a letter leaves or is printed: whether it is still meant, and what goes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.errors import PaquetError
from provision.formats.facturx.batches import Refused
from provision.formats.facturx.invoice_pdf import invoice_pdf
from provision.post import outbox
from provision.post.message import Attached
from provision.post.outbox import CANCELLED, HELD, WAITING
from provision.subscriptions.books import papers
from provision.subscriptions.documents import numbering, open_items
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.documents.models import Invoice, same_document
from provision.subscriptions.dunning import pauses
from provision.workflows.posting_words import INVOICE, REMINDER

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.formats.facturx.invoice import PaperInvoice
    from provision.post.models import Letter
    from provision.workflows.control import Control


ON_PAPER = "A letter to this address came back: it goes on paper"


def look_again(control: Control, session: Session, letter: Letter) -> tuple[str, str] | None:
    """Return why a letter does not leave now, and its state then; None when it may leave."""
    since = control.settings.post.since
    if since is None or letter.written_on < since:
        return CANCELLED, "It is older than the day from which on letters are sent"
    paused = outbox.paused(session).get(letter.subscriber_id or 0)
    if paused is not None:
        return WAITING, f"Paused: {paused}"
    verdict = _reminder(control, session, letter) if letter.kind == REMINDER else None
    if verdict is None and outbox.unreachable(session, [letter.email]):
        return WAITING, ON_PAPER
    return verdict


def _reminder(control: Control, session: Session, letter: Letter) -> tuple[str, str] | None:
    """Look whether what a reminder asks for is still open, and its addressee not left in peace."""
    held = pauses.paused(session, letter.organisation_id or 0, control.today())
    paused = held.get(letter.subscriber_id or 0)
    if paused is not None:
        return WAITING, f"Paused: {paused}"
    units = [open_items.of(session, document_of(about)).units for about in letter.about.split()]
    if units and not any(units):
        return CANCELLED, "What it asks for was paid or credited meanwhile"
    if not all(units):
        return HELD, "Something that it asks for was paid or credited meanwhile"
    return None


def files(control: Control, letter: Letter) -> list[Attached]:
    """Return what goes with a letter: what was kept, and documents made again.

    Raises PaquetError when one cannot be made.
    """
    return [
        Attached(
            file.name,
            file.content if file.content is not None else _drawn(control, file.reference),
        )
        for file in letter.enclosures
    ]


def document_of(reference: str) -> Number:
    """Return the document that `invoice:3:F2026-000012` is. Raises PaquetError for another word."""
    kind, organisation, shown = reference.split(":")
    if kind != INVOICE:
        raise PaquetError(f"Nobody knows how to enclose {reference}")
    return Number(int(organisation), *numbering.parse(shown))


def _drawn(control: Control, reference: str) -> bytes:
    number = document_of(reference)
    with control.reading() as session:
        wanted = select(Invoice).where(same_document(Invoice, number))
        read: list[PaperInvoice | Refused] = list(papers.readable(session, wanted))
    for document in read:
        if not isinstance(document, Refused):
            return invoice_pdf(document)
        raise PaquetError(f"{number.shown} cannot be made: {document.why}")
    raise PaquetError(f"There is no document {number.shown}")
