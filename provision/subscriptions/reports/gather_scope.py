"""What a report is about: twelve months, and all of the registry or a part of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import case, func, or_, select, true

from provision.days import sensible_day
from provision.errors import UsageRefused
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.offers.models import SplitContract
from provision.subscriptions.parties import organisations
from provision.subscriptions.parties.models import Organisation
from provision.subscriptions.reports.months import last_day, month_of
from provision.subscriptions.selling.models import Subscription, SubscriptionVersion

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

    from provision.languages import Language


@dataclass(frozen=True)
class Scope:
    """A report of the twelve months that end with `until`, the last day of a month.

    `organisation_id` narrows it to what one organisation sells or supports, `territory` to what
    the sellers of a territory sell. A subscription that changed its seller is counted whole with
    each of them. `language` is that of the few words that rows hold.
    """

    until: date
    organisation_id: int | None = None
    territory: str | None = None
    language: Language = "fr"

    def __post_init__(self) -> None:
        sensible_day(self.until, "the end of a report")
        if self.until != last_day(month_of(self.until)):
            raise UsageRefused(
                f"{self.until} is not the last day of a month",
                f"Give a whole month: {last_day(month_of(self.until))}.",
            )

    def holds(self, one: Organisation) -> bool:
        """Return whether it speaks of what this organisation earns and spends."""
        return self.organisation_id in {None, one.id} and self.territory in {None, one.territory}


def month_over(today: date) -> date:
    """Return the last day of the last month that is over."""
    tomorrow = today + timedelta(days=1)
    return month_of(tomorrow) - timedelta(days=1)


def parties(session: Session, scope: Scope) -> dict[int, Organisation]:
    """Return all organisations by number. Raises UsageRefused for a scope that holds none."""
    found = {one.id: one for one in organisations.everyone(session)}
    if found and not any(scope.holds(one) for one in found.values()):
        known = ", ".join(sorted({one.territory for one in found.values() if one.territory}))
        raise UsageRefused(
            f"No such organisation is at home in {scope.territory}",
            f"Territories are: {known or 'none yet'}.",
        )
    return found


def of_subscriptions(scope: Scope) -> ColumnElement[bool]:
    """Return the condition on Subscription that it lies in the scope."""
    condition: ColumnElement[bool] = true()
    if scope.organisation_id is not None:
        parties = (SplitContract.seller_id, SplitContract.supporter_id)
        condition &= _under(or_(*(party == scope.organisation_id for party in parties)))
    if scope.territory is not None:
        condition &= _under(SplitContract.seller_id.in_(_at_home(scope.territory)))
    return condition


def of_documents(scope: Scope) -> ColumnElement[bool]:
    """Return the condition on Invoice that a subscriber's document lies in the scope.

    One without a subscription lies where its issuer does. Documents between organisations are
    none of a subscriber's.
    """
    condition: ColumnElement[bool] = Invoice.party.like("person-%")
    subscriptions = select(Subscription.id)
    if scope.organisation_id is not None:
        own = subscriptions.where(of_subscriptions(Scope(scope.until, scope.organisation_id)))
        condition &= or_(
            Invoice.organisation_id == scope.organisation_id, Invoice.subscription_id.in_(own)
        )
    if scope.territory is not None:
        opened_by = subscriptions.with_only_columns(Subscription.seller_id).where(
            Subscription.id == Invoice.subscription_id
        )
        sells = subscriptions.where(
            Subscription.id == Invoice.subscription_id,
            _under(SplitContract.seller_id == Invoice.organisation_id),
        )
        sold_by = case(
            (sells.exists(), Invoice.organisation_id),
            else_=func.coalesce(opened_by.scalar_subquery(), Invoice.organisation_id),
        )
        condition &= sold_by.in_(_at_home(scope.territory))
    return condition


def _under(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition on Subscription that a contract of it, at any time, is such a one."""
    version = SubscriptionVersion
    of_such = (
        select(version.subscription_id)
        .join(SplitContract, SplitContract.id == version.contract_id)
        .where(version.subscription_id == Subscription.id, condition)
    )
    return of_such.correlate_except(version, SplitContract).exists()


def _at_home(territory: str) -> Select[int]:
    return select(Organisation.id).where(Organisation.territory == territory)
