"""How the services of an organisation are taxed on a day, by its VAT regime."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.subscriptions.documents.vat import regime_on
from provision.subscriptions.vat import Treatment

if TYPE_CHECKING:
    from datetime import date

    from provision.subscriptions.profiles import Profile


def of(profile: Profile, day: date) -> Treatment:
    """Return the category and the rate of the regime that rules on `day`."""
    regime = regime_on(profile.vat, day)
    return Treatment(regime.category, regime.rate)
