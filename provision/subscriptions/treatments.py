"""How the services of an organisation are taxed on a day, by its VAT regime."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.subscriptions.vat import Treatment

if TYPE_CHECKING:
    from datetime import date

    from provision.subscriptions.profiles import Profile


def of(profile: Profile, day: date) -> Treatment:
    """Return category and rate."""
    del day
    return Treatment("S", 2000) if profile.vat == "liable" else Treatment("E", 0)
