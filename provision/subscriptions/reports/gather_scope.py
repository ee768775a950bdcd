"""What a report is about: twelve months, and all of the registry or a part of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, or_, select, true
from sqlalchemy.orm import aliased

from provision.days import sensible_day
from provision.errors import UsageRefused
from provision.subscriptions.documents.models import Invoice, InvoiceLine, same_document
from provision.subscriptions.offers.models import SplitContract
from provision.subscriptions.parties import organisations
from provision.subscriptions.parties.models import Organisation
from provision.subscriptions.reports.months import last_day, month_of
from provision.subscriptions.selling.models import Subscription, SubscriptionVersion

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import InstrumentedAttribute, Session

    from provision.languages import Language


@dataclass(frozen=True)
class Scope:
    """A report of the twelve months that end with `until`, the last day of a month.

    `organisation_id` narrows it to what one organisation sells or supports, `territory` to what
    the sellers of a territory sell: of a subscription that changed its seller, the days and the
    documents of each. `language` is that of the few words that rows hold.
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

    def holds(self, party: Organisation) -> bool:
        """Return whether it speaks of what this organisation earns and spends."""
        return self.organisation_id in {None, party.id} and self.territory in {
            None,
            party.territory,
        }

    def holds_sale(self, seller: Organisation, supporter_id: int) -> bool:
        """Return whether it speaks of what these two sell together."""
        sellers = self.territory in {None, seller.territory}
        return sellers and self.organisation_id in {None, seller.id, supporter_id}


def month_over(today: date) -> date:
    """Return the last day of the last month that is over."""
    tomorrow = today + timedelta(days=1)
    return month_of(tomorrow) - timedelta(days=1)


def parties(session: Session, scope: Scope) -> dict[int, Organisation]:
    """Return all organisations by number. Raises UsageRefused for a scope that holds none."""
    every = {party.id: party for party in organisations.everyone(session)}
    if every and not any(scope.holds(party) for party in every.values()):
        known = ", ".join(sorted({party.territory for party in every.values() if party.territory}))
        raise UsageRefused(
            f"No such organisation is at home in {scope.territory}",
            f"Territories are: {known or 'none yet'}.",
        )
    return every


def of_subscriptions(scope: Scope) -> ColumnElement[bool]:
    """Return the condition on Subscription that some of its days lie in the scope."""
    sale: ColumnElement[bool] = true()
    if scope.organisation_id is not None:
        sale &= _takes_part(scope.organisation_id)
    if scope.territory is not None:
        sale &= SplitContract.seller_id.in_(_at_home(scope.territory))
    version = SubscriptionVersion
    sold = _sold(select(version.subscription_id), version.contract_id, sale)
    return sold.where(version.subscription_id == Subscription.id).correlate(Subscription).exists()


def of_documents(scope: Scope) -> ColumnElement[bool]:
    """Return the condition on Invoice that a subscriber's document lies in the scope.

    It lies where the contract does that its lines name. One without a contract lies where its
    issuer does, and what was asked for in advance also with who supported on that day. Documents
    between organisations are none of a subscriber's.
    """
    condition: ColumnElement[bool] = Invoice.party.like("person-%")
    if scope.organisation_id is not None:
        sale = _takes_part(scope.organisation_id)
        own = Invoice.organisation_id == scope.organisation_id
        condition &= or_(own, _billed(sale), ~_billed(true()) & _asked(sale))
    if scope.territory is not None:
        home = _at_home(scope.territory)
        issued = ~_billed(true()) & Invoice.organisation_id.in_(home)
        condition &= or_(issued, _billed(SplitContract.seller_id.in_(home)))
    return condition


def _takes_part(organisation_id: int) -> ColumnElement[bool]:
    parties = (SplitContract.seller_id, SplitContract.supporter_id)
    return or_(*(party == organisation_id for party in parties))


def _billed(sale: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition on Invoice that a line of it names such a contract."""
    line = aliased(InvoiceLine)  # also where the lines themselves are asked for
    of_such = _sold(select(line.line), line.contract_id, sale)
    return of_such.where(same_document(line, Invoice)).correlate(Invoice).exists()


def _asked(sale: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition on Invoice that its subscription was sold so on that day."""
    version, begun = SubscriptionVersion, aliased(SubscriptionVersion)
    newest = (
        select(func.max(begun.version))
        .where(
            begun.subscription_id == Invoice.subscription_id, begun.from_day <= Invoice.issued_on
        )
        .correlate(Invoice)
        .scalar_subquery()
    )
    of_such = _sold(select(version.subscription_id), version.contract_id, sale).where(
        version.subscription_id == Invoice.subscription_id, version.version == newest
    )
    return of_such.correlate(Invoice).exists()


def _sold(
    query: Select[int], contract_id: InstrumentedAttribute[Any], sale: ColumnElement[bool]
) -> Select[int]:
    return query.join(SplitContract, SplitContract.id == contract_id).where(sale)


def _at_home(territory: str) -> Select[int]:
    return select(Organisation.id).where(Organisation.territory == territory)
