"""A new profile of an organisation, where no paper that exists says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision.days import sensible_day
from provision.errors import UsageRefused
from provision.subscriptions.documents import numbering
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.documents.receipt_models import Receipt
from provision.subscriptions.parties.models import OrganisationProfile
from provision.subscriptions.parties.profiles import Profile

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.subscriptions.parties.models import Organisation


OWN_SERIES = 3  # of invoices, credit notes and receipts


def describe(
    session: Session, organisation: Organisation, profile: Profile, valid_from: date
) -> OrganisationProfile:
    """Write what documents say from `valid_from` on; a day has one profile, never rewritten."""
    sensible_day(valid_from, "the first day of a profile")
    check_prefixes(profile)
    content = profile.model_dump_json()
    there = session.get(OrganisationProfile, (organisation.id, valid_from))
    if there is not None:
        if Profile.model_validate_json(there.content, strict=False) == profile:
            return there
        raise UsageRefused(
            f"{organisation.name} has a profile from {valid_from} already",
            "A profile is never rewritten: give the new one its own first day.",
        )
    issued = _last_document(session, organisation)
    if issued is not None and valid_from <= issued:
        raise UsageRefused(
            f"{organisation.name} has a document of {issued}, which says what was so then",
            "Describe it anew from a later day on.",
        )
    _check_other_prefixes(session, organisation, profile)
    organisation_profile = OrganisationProfile(
        organisation_id=organisation.id, valid_from=valid_from, content=content
    )
    session.add(organisation_profile)
    session.flush()
    return organisation_profile


def _last_document(session: Session, organisation: Organisation) -> date | None:
    days = [
        session.scalar(
            select(func.max(table.issued_on)).where(table.organisation_id == organisation.id)
        )
        for table in (Invoice, Receipt)
    ]
    return max((day for day in days if day is not None), default=None)


def check_prefixes(profile: Profile) -> None:
    """Raise UsageRefused unless each kind of document has a series of its own.

    A profile of before receipts had a prefix may name theirs for its invoices.
    """
    own = {profile.invoice_prefix, profile.credit_prefix, profile.receipt_prefix}
    if len(own) != OWN_SERIES:
        raise UsageRefused(
            "Invoices, credit notes and receipts have the same prefix",
            "Each needs a series of its own.",
        )
    for prefix in numbering.SELF_BILLED.values():
        if prefix in own:
            raise UsageRefused(
                f"The prefix {prefix} is kept for documents under a self-billing mandate",
                "Choose another prefix.",
            )


def _check_other_prefixes(session: Session, organisation: Organisation, profile: Profile) -> None:
    """Refuse a prefix that was, is or will be the other kind's: two papers would share a number.

    A business gives no receipts.
    """
    if organisation.kind != "association":
        return
    contents = select(OrganisationProfile.content).where(
        OrganisationProfile.organisation_id == organisation.id
    )
    for content in session.scalars(contents):
        other = Profile.model_validate_json(content, strict=False)
        invoices = {other.invoice_prefix, other.credit_prefix}
        receipts = {other.receipt_prefix} - invoices
        swapped = {profile.receipt_prefix} & invoices
        swapped |= {profile.invoice_prefix, profile.credit_prefix} & receipts
        if swapped:
            raise UsageRefused(
                f"Another description of {organisation.name} has the prefix {min(swapped)} for "
                "receipts where this one has it for invoices, or the other way round",
                "Choose another prefix: no invoice and receipt may share a number.",
            )
