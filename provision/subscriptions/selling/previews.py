"""What a subscription will be billed for, as its words are now. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.days import LAST_DAY
from provision.subscriptions.offers import carrying
from provision.subscriptions.offers.catalogue import Catalogue
from provision.subscriptions.selling import charged, due
from provision.subscriptions.selling.opening import ENDED

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.offers.terms import Term
    from provision.subscriptions.selling.models import Subscription


@dataclass(frozen=True)
class ComingTerm:
    """Days that are not billed yet, and what all who sell will ask for them together."""

    days: Term
    net: Cents
    vat: Cents


def coming(
    session: Session, subscription: Subscription, count: int, today: date
) -> list[ComingTerm]:
    """Return the next `count` terms, taxed as today; fewer when the subscription ends."""
    one = charged.due_of(session, subscription)
    catalogue, dealer = Catalogue(session), carrying.load(session)
    start = one.billed_to
    found: list[ComingTerm] = []
    while len(found) < count and subscription.state != ENDED and start < LAST_DAY:
        if one.last_day is not None and start > one.last_day:
            break
        days = due.next_days(one, start)
        drafts = list(due.invoices(one, days, catalogue, dealer, today))
        net, vat = sum(draft.net for draft in drafts), sum(draft.vat for draft in drafts)
        found.append(ComingTerm(days, net, vat))
        start = days.until
    return found
