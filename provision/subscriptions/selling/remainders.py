"""What of a billed term remains from a day on, and what the same days cost in other words. Pure.

The one rule is `terms.prorated`: days have what they add to those of their term before them. So
what remains is the same however the days were billed, and a change that comes after the invoice
leads to the same sum as one that was known before it, to the cent, with discounts too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from provision.subscriptions.documents import drafts
from provision.subscriptions.offers.terms import Term
from provision.subscriptions.selling import due
from provision.subscriptions.selling.due import DISCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from provision.subscriptions.offers.catalogue import Asked, Catalogue
    from provision.subscriptions.selling.due import Due


def pieces(subscription: Due, days: Term) -> Iterator[Term]:
    """Cut `days` where a term ends or other grounds begin; days of a trial are left out."""
    endless = replace(subscription, last_day=None)
    start = max(days.starts, endless.version_on(days.starts).anchor_day)
    while start < days.until:
        until = min(due.next_days(endless, start).until, days.until)
        yield Term(start, until)
        start = until


def charged(
    subscription: Due, piece: Term, catalogue: Catalogue, cuts: Sequence[date] = ()
) -> list[Asked]:
    """Return what the days of `piece` cost in the words of `subscription`, cut on days beside."""
    return drafts.asked(
        due.segments(subscription, piece, catalogue, cuts), DISCOUNT[subscription.language]
    )
