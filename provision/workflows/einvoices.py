"""Lay invoices down for an approved platform, once each, and read what it answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.errors import PaquetError
from provision.formats.books.einvoicing import Submission
from provision.formats.facturx import mentions
from provision.formats.facturx.batches import Refused, refusal
from provision.formats.facturx.invoice_pdf import invoice_pdf
from provision.registry import states
from provision.registry.models import Event

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from provision.formats.books.einvoicing import Platform, Profile, Rule
    from provision.formats.facturx.invoice import PaperInvoice
    from provision.workflows.control import Control

PROFILE: Profile = "CIUS"  # what platforms call EN 16931
DROPPED, LEFT_OUT, BEFORE = "dropped", "left out: the buyer is a private person", "dropped before"


def drop(
    control: Control, documents: Iterable[PaperInvoice | Refused], platform: Platform
) -> dict[str, str | Refused]:
    """Give each invoice to `platform` once, and return by number what became of it.

    Sales to private persons are reported in sums (e-reporting), not sent as invoices: they are
    left out. An event remembers what was dropped, also when the platform's client took it away.
    One that cannot be written stops none of the others.
    """
    became: dict[str, str | Refused] = {}
    for document in documents:
        if isinstance(document, Refused):
            became[document.number] = document
            continue
        try:
            became[document.number] = _drop(control, document, platform)
        except PaquetError as wrong:
            became[document.number] = refusal(document.number, wrong)
    return became


def planned(
    control: Control, documents: Iterable[PaperInvoice | Refused]
) -> dict[str, str | Refused]:
    """Return what would become of each invoice by number; nothing is made and nothing dropped."""
    with control.reading() as session:
        return {
            document.number: document if isinstance(document, Refused) else _fate(session, document)
            for document in documents
        }


def _drop(control: Control, document: PaperInvoice, platform: Platform) -> str:
    """Drop one invoice; its PDF is made before the registry is locked."""
    with control.reading() as session:
        fate = _fate(session, document)
    if fate != DROPPED:
        return fate
    rule: Rule = "B2BInt" if mentions.is_abroad(document) else "B2B"
    submission = Submission(_tracking_id(document), invoice_pdf(document), PROFILE, rule)
    with control.session() as session:
        fate = _fate(session, document)
        if fate == DROPPED:
            platform.submit(submission)
            told = control.told("for the approved platform")
            states.record(session, _subject(document), DROPPED, told)
    return fate


def _fate(session: Session, document: PaperInvoice) -> str:
    """Return what becomes of an invoice that is dropped now."""
    if document.buyer.is_person:
        return LEFT_OUT
    there = select(Event.id).where(Event.subject == _subject(document), Event.what == DROPPED)
    return DROPPED if session.scalar(there) is None else BEFORE


def _tracking_id(document: PaperInvoice) -> str:
    return f"{document.seller.siren}-{document.number}"


def _subject(document: PaperInvoice) -> str:
    return f"invoice:{_tracking_id(document)}"
