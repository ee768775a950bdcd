"""How each organisation was taxed on each day, read once for a whole report."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.errors import UsageRefused
from provision.subscriptions.offers import treatments
from provision.subscriptions.parties.models import OrganisationProfile
from provision.subscriptions.parties.profiles import EXAMPLE, Profile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.subscriptions.offers.vat import Treatment


@dataclass(frozen=True)
class Regimes:
    """The treatments by organisation, each from its day on, the oldest first."""

    known: Mapping[int, Sequence[tuple[date, Treatment]]]

    @property
    def days(self) -> list[date]:
        """The days on which one of them may change."""
        return sorted({day for every in self.known.values() for day, _treatment in every})

    def needed(self, organisation_id: int, day: date) -> Treatment:
        """Return how an organisation is taxed on a day.

        Before its first description it is taken as described there: it billed nothing before.
        Raises UsageRefused where nobody described it.
        """
        every = self.known.get(organisation_id)
        if not every:
            raise UsageRefused(
                f"Nobody knows yet how organisation {organisation_id} is taxed",
                f"Describe it: paquet organisation describe NAME FILE (see {EXAMPLE})",
            )
        return every[max(bisect_right(every, day, key=itemgetter(0)) - 1, 0)][1]


def regimes(session: Session) -> Regimes:
    """Return what the profiles of all organisations say."""
    known: dict[int, list[tuple[date, Treatment]]] = defaultdict(list)
    for organisation_id, day, content in session.execute(
        select(
            OrganisationProfile.organisation_id,
            OrganisationProfile.valid_from,
            OrganisationProfile.content,
        ).order_by(OrganisationProfile.valid_from)
    ):
        profile = Profile.model_validate_json(content, strict=False)
        known[organisation_id].append((day, treatments.of(profile, day)))
    return Regimes(known)
