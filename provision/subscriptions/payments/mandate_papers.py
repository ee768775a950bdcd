"""What debtors sign, as a page; apart from `mandates`, since few who need those print one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.formats.sepa.mandate_form import Look, mandate_pdf
from provision.languages import spoken
from provision.subscriptions.payments import mandates

if TYPE_CHECKING:
    from provision.subscriptions.parties.profiles import Profile
    from provision.subscriptions.payments.models import MandateRow


def form(row: MandateRow, profile: Profile) -> bytes:
    """Return the page that the debtor signs, as PDF, in their language."""
    language = spoken(row.subscriber.language)
    return mandate_pdf(mandates.read(row, profile), Look(colour=profile.colour), language)
