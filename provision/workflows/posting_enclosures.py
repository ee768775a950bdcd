"""What goes with a letter: files that were kept, and documents that are made again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.errors import PaquetError
from provision.formats.facturx.batches import Refused
from provision.formats.facturx.invoice_pdf import invoice_pdf
from provision.post.message import Attached
from provision.subscriptions.books import papers
from provision.subscriptions.documents.models import Invoice, same_document
from provision.workflows.posting_words import document_of

if TYPE_CHECKING:
    from provision.formats.facturx.invoice import PaperInvoice
    from provision.post.models import Letter
    from provision.workflows.control import Control


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
