"""What a subscriber declares or chooses for a price, as it is typed. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from provision import money
from provision.errors import UsageRefused
from provision.subscriptions.offers.tariffs import MOST_MEANS, Means

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provision.subscriptions.offers.tariffs import Tariff

DECLARED = re.compile(r"([a-z0-9-]{1,40})=([0-9]{1,20})")


def parse(tariff: Tariff, tier: str, declared: Sequence[str], amount: str | None) -> Means:
    """Return the means for a plan's tariff, or raise UsageRefused for what it does not ask.

    `declared` are words like "income=1200", in whole euros; `amount` is the price of a month.
    """
    if amount is not None and tariff.free is None:
        raise UsageRefused("The price of this plan is not free", "Leave --amount out.")
    found = dict(_declared(one) for one in declared)
    unknown = [name for name in found if name not in tariff.asks]
    if unknown or len(found) != len(declared):
        asked = ", ".join(tariff.asks) or "nothing"
        raise UsageRefused(
            f"The price does not ask for {', '.join(unknown) or 'the same twice'}",
            f"It asks for: {asked}.",
        )
    chosen = None if amount is None else money.parse(amount).units
    return Means(tier=tier, declared=found, chosen=chosen)


def _declared(typed: str) -> tuple[str, int]:
    found = DECLARED.fullmatch(typed)
    if found is None:
        raise UsageRefused(
            f"{typed[:60]!r} is not a name and whole euros", "Write it like income=1200."
        )
    if int(found[2]) > MOST_MEANS:
        raise UsageRefused(f"{typed[:60]} is more than anybody has", "Check it once more.")
    return found[1], int(found[2])
