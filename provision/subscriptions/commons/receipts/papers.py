"""Receipts that were written down as paper: originals, duplicates, and cancelled ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from provision.errors import UsageRefused
from provision.formats.facturx import receipts as documents
from provision.formats.facturx.receipts import Donation, Eligibility, PaperReceipt, Signatory
from provision.subscriptions.commons.receipts import copies, recording
from provision.subscriptions.documents import numbering
from provision.subscriptions.documents.receipt_models import ReceiptCopy
from provision.subscriptions.parties import identities, people, profiles
from provision.subscriptions.parties.letterhead import brand, organisation_party, person_party
from provision.subscriptions.parties.models import Identity, Organisation

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.formats.facturx.parties import Party
    from provision.languages import Language
    from provision.subscriptions.commons.receipts.copies import Place
    from provision.subscriptions.documents.receipt_models import Receipt
    from provision.subscriptions.parties.profiles import Profile


@dataclass(frozen=True)
class Copy:
    """A file to hand out, and which copy of its receipt it is."""

    place: Place
    pdf: bytes


def copy(session: Session, receipt: Receipt) -> Copy:
    """Return the next copy of a receipt as PDF/A-3b; it only reads, since that takes a while.

    The first one is the original, all others say that they are duplicates.
    Raises UsageRefused for a giver who was erased.
    """
    cancelled, place = recording.cancellation(session, receipt), copies.coming(session, receipt)
    giver, language = _giver(session, receipt)
    received = PaperReceipt(
        number=place.shown,
        issued=receipt.issued_on,
        giver=giver,
        units=receipt.units,
        on=receipt.received_on,
        means=cast("documents.Means", receipt.means),
        is_duplicate=place.position > 1,
        cancelled_on=cancelled.cancelled_on if cancelled else None,
    )
    return Copy(place, _pdf(session, receipt, received, language))


def hand_out(session: Session, receipt: Receipt, receipt_copy: Copy, today: date) -> None:
    """Write down that this copy is handed out: that of what the receipt is now, and only once.

    Raises UsageRefused, and the copy is to be thrown away, when somebody was faster.
    """
    if receipt_copy.place != copies.coming(session, receipt):
        raise UsageRefused(
            f"Somebody else wrote or cancelled {receipt_copy.place.shown} at the same moment",
            "Nothing of it was written: ask once more.",
        )
    session.add(
        ReceiptCopy(
            organisation_id=receipt.organisation_id,
            series=receipt.series,
            number=receipt.number,
            position=receipt_copy.place.position,
            written_on=today,
        )
    )
    session.flush()


def _pdf(session: Session, receipt: Receipt, received: PaperReceipt, language: Language) -> bytes:
    organisation = _organisation(session, receipt)
    if receipt.first_day is None or receipt.last_day is None:
        return documents.donation_pdf(organisation, received, Donation(), language)
    period = (receipt.first_day, receipt.last_day)
    return documents.membership_pdf(organisation, received, period, language)


def _organisation(session: Session, receipt: Receipt) -> documents.ReceiptIssuer:
    """Return who issued it, as described on its day; eligible only for a tax receipt."""
    owner = session.get_one(Organisation, receipt.organisation_id)
    profile = profiles.needed(session, owner, receipt.issued_on)
    said = profile.receipts
    if said is None:
        raise UsageRefused(
            f"Nobody knows who signed the receipts of {owner.name} on {receipt.issued_on}",
            "See: paquet organisation describe",
        )
    eligibility = None
    if receipt.articles and said.category and said.source:
        eligibility = Eligibility(said.category, said.source, said.articles)
    return documents.ReceiptIssuer(
        party=organisation_party(profile, owner.siren or ""),
        registration=said.registration,
        purpose=said.purpose,
        signed=Signatory(said.signed_by, said.signed_as or "", said.signed_at or ""),
        eligibility=eligibility,
        brand=brand(profile),
    )


def _giver(session: Session, receipt: Receipt) -> tuple[Party, Language]:
    owner = people.organisation_of(receipt.party)
    if owner is not None:
        return organisation_party(*_described(session, owner, receipt.issued_on)), "fr"
    identity = session.get(Identity, receipt.identity_id)
    if identity is None:
        raise UsageRefused(
            f"{numbering.shown(receipt.series, receipt.number)} is for somebody who was erased",
            "If the tax office asks: paquet subscriber archive --help",
        )
    person = identities.read(identity)
    return person_party(person), person.language


def _described(session: Session, organisation_id: int, day: date) -> tuple[Profile, str]:
    owner = session.get_one(Organisation, organisation_id)
    return profiles.needed(session, owner, day), owner.siren or ""
