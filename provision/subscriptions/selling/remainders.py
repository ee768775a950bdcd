"""What of a billed term remains from a day on, and what the same days cost in other words. Pure.

The one rule is `terms.prorated`: what remains is what the days cost that were billed together, less
what those before the day cost by themselves. So a change that comes after the invoice leads to the
same sum as one that was known before it, to the cent, with discounts too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from provision.subscriptions.documents import drafts
from provision.subscriptions.offers.terms import Term, term_of
from provision.subscriptions.selling import due
from provision.subscriptions.selling.due import DISCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provision.subscriptions.documents.drafts import Segment
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


def remaining(subscription: Due, piece: Term, catalogue: Catalogue) -> list[Asked]:
    """Return what was asked for the days of `piece`, which lie in one term and were billed."""
    version = subscription.version_on(piece.starts)
    term = term_of(version.anchor_day, version.period, piece.starts)
    billed = due.segments(subscription, Term(term.starts, piece.until), catalogue)
    words = DISCOUNT[subscription.language]
    asked_lines: list[Asked] = []
    for segment in billed:
        if segment.days.until > piece.starts:
            asked_lines += _cut(segment, piece, words)
    return asked_lines


def charged(subscription: Due, piece: Term, catalogue: Catalogue) -> list[Asked]:
    """Return what is asked for the days of `piece` in the words of `subscription`."""
    return drafts.asked(
        due.segments(subscription, piece, catalogue), DISCOUNT[subscription.language]
    )


def _cut(segment: Segment, piece: Term, words: str) -> list[Asked]:
    """Return what a segment asks less what its days before `piece` ask by themselves."""
    whole = drafts.asked([segment], words)
    if segment.days.starts >= piece.starts:
        return whole
    before = replace(segment, days=Term(segment.days.starts, piece.starts))
    kept = {asked.item.component: asked.units for asked in drafts.asked([before], words)}
    days = Term(piece.starts, segment.days.until)
    cut = [
        replace(asked, units=asked.units - kept.get(asked.item.component, 0), days=days)
        for asked in whole
    ]
    return [asked for asked in cut if asked.units]
