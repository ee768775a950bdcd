"""Change a subscription from a day on, also in the middle of a billed term; and discounts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from provision import edges
from provision.days import sensible_day
from provision.errors import UsageRefused
from provision.subscriptions.ledger import posting
from provision.subscriptions.offers import contracts, plans, tariffs
from provision.subscriptions.offers.catalogue import Catalogue
from provision.subscriptions.offers.planfile import MOST_GIB, MOST_USERS
from provision.subscriptions.offers.tariffs import WHOLE, Means, Tariff
from provision.subscriptions.offers.terms import Term
from provision.subscriptions.selling import adjusting, charges, deposits, opening
from provision.subscriptions.selling.adjusting import Adjustment
from provision.subscriptions.selling.models import Discount
from provision.subscriptions.selling.opening import ENDED

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.subscriptions.documents.issuing import Number
    from provision.subscriptions.offers.catalogue import Wanted
    from provision.subscriptions.offers.models import Plan
    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.selling.due import Due, Reduction
    from provision.subscriptions.selling.models import Subscription, SubscriptionVersion


MOST_FOR_A_TERM = 10**12  # cents: sums over many subscriptions stay far inside 64 bits
REASON = {"fr": "Changement d’abonnement le {day}", "en": "Change of subscription on {day}"}


@dataclass(frozen=True)
class Change:
    """What becomes different; None stays as it is.

    A new plan, and a new term, come with the prices of the day unless `prices_of` names another;
    a new plan comes with its own users and room unless they are given. Another seller sells alone
    unless a supporter is named; the seller as its own supporter means alone, too.
    """

    plan: Plan | None = None
    period: str | None = None
    users: int | None = None
    gib: int | None = None
    means: Means | None = None
    prices_of: date | None = None
    seller: Organisation | None = None
    supporter: Organisation | None = None


@dataclass(frozen=True)
class Changed:
    """The version that was written, and the documents that it led to."""

    version: SubscriptionVersion
    documents: tuple[Number, ...]


def change(
    session: Session, subscription: Subscription, wanted: Change, from_day: date, *, today: date
) -> Changed:
    """Write what the subscription is from `from_day` on, and adjust the days that are billed.

    A new term begins when what is billed has ended, and terms count anew from there.
    Raises UsageRefused for a day before the last change, in a closed period or after the end.
    """
    sensible_day(from_day, "the day of a change")
    if wanted.period not in {None, subscription.versions[-1].period}:
        from_day = max(from_day, subscription.billed_to)
    _check_day(session, subscription, from_day)
    before = charges.due_of(session, subscription)
    columns = _columns(subscription, wanted, from_day)
    columns |= _contract(session, subscription, wanted, from_day)
    if len(columns) == 1:
        raise UsageRefused("Nothing would change", "Name what becomes different.")
    version = opening.next_version(subscription, from_day, today, columns)
    after = replace(before, versions=(*before.versions, opening.version_of(version)))
    check_words(Catalogue(session), after.versions[-1].wanted(after.language))
    subscription.versions.append(version)
    session.flush()
    check_open(session, after, from_day)
    adjustment = Adjustment(
        subscription=before,
        before=before,
        after=after,
        days=Term(from_day, subscription.billed_to),
        key=f"change:{subscription.id}:{version.version}",
        reason=adjusting.worded(REASON, from_day, after.language),
    )
    return Changed(version, tuple(adjusting.adjust(session, adjustment, today)))


def check_words(catalogue: Catalogue, wanted: Wanted) -> None:
    """Raise UsageRefused unless a term can be priced, for so many users and so much room."""
    for what, number, most in (
        ("users", wanted.users, MOST_USERS),
        ("GiB", wanted.gib, MOST_GIB),
    ):
        if not 1 <= number <= most:
            raise UsageRefused(f"{number} {what} cannot be sold", f"Give 1 to {most}.")
    tariff = Tariff.model_validate_json(catalogue.plan(wanted.plan_id).tariff)
    means = Means.model_validate_json(wanted.means)
    tariffs.points(tariff, means)
    tariffs.chosen(tariff, means)
    if sum(item.units for item in catalogue.items(wanted)) > MOST_FOR_A_TERM:
        raise UsageRefused("A term would cost more than ten billion euros", "Check it once more.")


def check_open(session: Session, due: Due, day: date) -> None:
    """Raise UsageRefused if `day` lies in a closed period of who sold it."""
    agreement = Catalogue(session).agreement(due.version_on(day).contract_id)
    for party in (agreement.seller_id, agreement.supporter_id):
        closed = posting.closed_to(session, party)
        if closed is not None and day <= closed:
            raise UsageRefused(
                f"The books are closed up to {closed}", "Change it from a later day on."
            )


def _check_day(session: Session, subscription: Subscription, from_day: date) -> None:
    number, last = subscription.id, subscription.versions[-1]
    if subscription.state != opening.ACTIVE:
        raise UsageRefused(
            f"Subscription {number} is {subscription.state}", "Only an active one can be changed."
        )
    if from_day < last.from_day:
        raise UsageRefused(
            f"{from_day} is before {last.from_day}, when subscription {number} began or was "
            "changed last",
            "Change it from that day or a later one.",
        )
    if subscription.last_day is not None:
        raise UsageRefused(
            f"Subscription {number} ends on {subscription.last_day}",
            f"Let it go on first: paquet subscription keep {number}",
        )
    check_open(session, charges.due_of(session, subscription), from_day)


def _columns(subscription: Subscription, wanted: Change, from_day: date) -> dict[str, object]:
    """Return the columns of the next version that are not as before."""
    last = subscription.versions[-1]
    changed: dict[str, object] = {"from_day": from_day}
    if wanted.plan is not None and wanted.plan.id != last.plan_id:
        changed |= {
            "plan_id": wanted.plan.id,
            "users": wanted.plan.users,
            "gib": wanted.plan.quota_gib,
            "means": Means().model_dump_json(exclude_defaults=True),
            "priced_on": from_day,
        }
    if wanted.period not in {None, last.period}:
        if wanted.period not in plans.PERIODS:
            raise UsageRefused(
                f"{str(wanted.period)[:40]!r} is not a term", f"Use {'|'.join(plans.PERIODS)}."
            )
        changed |= {"period": wanted.period, "anchor_day": from_day, "priced_on": from_day}
    given = {"users": wanted.users, "gib": wanted.gib, "priced_on": wanted.prices_of}
    changed |= {name: value for name, value in given.items() if value is not None}
    if wanted.means is not None:
        changed["means"] = wanted.means.model_dump_json(exclude_defaults=True)
    return changed


def _contract(
    session: Session, subscription: Subscription, wanted: Change, from_day: date
) -> dict[str, object]:
    """Return the contract of the next version, where another is wanted.

    What a buyer pays in advance to one seller, another cannot deduct, nor can both of two.
    """
    if wanted.seller is None and wanted.supporter is None:
        return {}
    before = subscription.versions[-1].contract
    seller = wanted.seller or before.seller
    contract = contracts.contract_on(session, seller, wanted.supporter or seller, from_day)
    if contract.id == before.id:
        return {}
    unfit = seller.id != before.seller_id or contract.mode in deposits.UNFIT
    if unfit and (waiting := deposits.in_hand(session, subscription.id)):
        raise UsageRefused(
            f"{before.seller.name} asked for the deposit {waiting[0].shown} of subscription "
            f"{subscription.id}, which invoices have still to deduct",
            "Let them first, or take it back: paquet subscription credit --help",
        )
    return {"contract_id": contract.id}


def discount(session: Session, subscription: Subscription, wanted: Reduction) -> Discount:
    """Write a discount; several on one day add up, to the whole price at most.

    Raises UsageRefused when it begins in days that are billed: those are credited.
    """
    for day in (wanted.first_day, wanted.last_day or wanted.first_day):
        sensible_day(day, "a day of a discount")
    number = subscription.id
    if not 1 <= wanted.basis_points <= WHOLE:
        raise UsageRefused("A discount is above 0 and up to 100 percent", "Give it like 12.5.")
    if wanted.last_day is not None and wanted.last_day < wanted.first_day:
        raise UsageRefused(f"The discount would end before {wanted.first_day}", "Swap its days.")
    if subscription.state == ENDED:
        raise UsageRefused(f"Subscription {number} is ended", "Nothing is billed any more.")
    if wanted.first_day < subscription.billed_to:
        raise UsageRefused(
            f"Subscription {number} is billed up to {subscription.billed_to} already",
            "Begin on that day or later, or credit a part of the invoice.",
        )
    row = Discount(
        subscription_id=number,
        first_day=wanted.first_day,
        last_day=wanted.last_day,
        basis_points=wanted.basis_points,
        reason=edges.person_name(wanted.reason, "reason"),
    )
    session.add(row)
    session.flush()
    return row
