"""Copies of receipts: which was handed out, which comes next; nothing is drawn here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import exists, func, select

from provision.subscriptions.commons.receipts import recording
from provision.subscriptions.documents import numbering
from provision.subscriptions.documents.models import same_document
from provision.subscriptions.documents.receipt_models import (
    Receipt,
    ReceiptCancellation,
    ReceiptCopy,
)
from provision.subscriptions.parties import identities, people
from provision.subscriptions.parties.models import Identity, Organisation

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sqlalchemy.orm import Session

ORIGINAL, DUPLICATE, CANCELLED = "original", "duplicate", "cancelled"
ENDINGS = {ORIGINAL: "", DUPLICATE: "-duplicata", CANCELLED: "-annule"}


@dataclass(frozen=True)
class Place:
    """Which copy of its receipt one is: the `position`-th, and what it says that it is."""

    shown: str
    state: str
    position: int

    @property
    def name(self) -> str:
        """The name of the file: an original is never replaced by its duplicate."""
        return f"{self.shown}{ENDINGS[self.state]}.pdf"


def coming(session: Session, receipt: Receipt) -> Place:
    """Return which copy of a receipt comes next."""
    before = handed_out(session, receipt)
    state = DUPLICATE if before else ORIGINAL
    if recording.cancellation(session, receipt) is not None:
        state = CANCELLED
    return Place(numbering.shown(receipt.series, receipt.number), state, before + 1)


def uncopied(session: Session, since: date) -> list[Receipt]:
    """Return the receipts of all since a day that were neither written nor cancelled."""
    wanted = select(Receipt).where(
        Receipt.issued_on >= since,
        ~exists().where(same_document(ReceiptCopy, Receipt)),
        ~exists().where(same_document(ReceiptCancellation, Receipt)),
    )
    order = (Receipt.organisation_id, Receipt.issued_on, Receipt.series, Receipt.number)
    return list(session.scalars(wanted.order_by(*order)))


def unwritten(session: Session, receipts: Iterable[Receipt]) -> list[Receipt]:
    """Return the receipts that count, and of which no original was written yet.

    Nothing can be written any more for a giver who was erased.
    """
    return [
        receipt
        for receipt in receipts
        if not handed_out(session, receipt)
        and recording.cancellation(session, receipt) is None
        and not _is_erased(session, receipt)
    ]


def handed_out(session: Session, receipt: Receipt) -> int:
    """Return how many copies of the receipt were written."""
    count = session.scalar(
        select(func.count()).where(
            ReceiptCopy.organisation_id == receipt.organisation_id,
            ReceiptCopy.series == receipt.series,
            ReceiptCopy.number == receipt.number,
        )
    )
    return int(count or 0)


def name_of(session: Session, receipt: Receipt) -> str:
    """Return who gave, or '' for somebody who was erased."""
    owner = people.organisation_of(receipt.party)
    if owner is not None:
        return session.get_one(Organisation, owner).name
    identity = session.get(Identity, receipt.identity_id)
    return identities.read(identity).name if identity else ""


def _is_erased(session: Session, receipt: Receipt) -> bool:
    is_person = people.organisation_of(receipt.party) is None
    return is_person and session.get(Identity, receipt.identity_id) is None
