"""`paquet subscription`: what is sold, who pays for it, and what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.sales.plan import percent
from provision.commands.shared.context import pass_context
from provision.commands.shared.imported import Imported, Waiting
from provision.commands.shared.words import json_option
from provision.subscriptions.offers import contracts
from provision.subscriptions.selling import charges, opening, renewals

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.subscriptions.selling.models import Subscription, SubscriptionVersion

OPENINGS, CHANGES, ENDS = (
    "sales.subscription_openings",
    "sales.subscription_changes",
    "sales.subscription_ends",
)
WAITING = {
    "open": Waiting(
        OPENINGS,
        "Open a subscription for WHO without an order, such as for what runs elsewhere.",
    ),
    "identify": Waiting(
        OPENINGS,
        "Say who the subscriber WHO is on documents from now on; the old ones stay as they are.",
    ),
    "terms": Waiting(
        "sales.subscription_terms",
        "Show what the next terms of subscription NUMBER will cost, as it is now.",
    ),
    "change": Waiting(
        CHANGES,
        "Change subscription NUMBER from a day on; billed days are credited and charged anew.",
    ),
    "discount": Waiting(
        CHANGES, "Ask PERCENT less of subscription NUMBER (12.5), in days that are not billed yet."
    ),
    "declare": Waiting(
        CHANGES,
        "Write that subscription NUMBER sold for AMOUNT in MONTH (2026-03), and invoice its part.",
    ),
    "cancel": Waiting(
        ENDS,
        "End subscription NUMBER after a last day; what is billed beyond is refunded if you say "
        "so.",
    ),
    "keep": Waiting(
        ENDS, "Let the cancelled subscription NUMBER go on; what was refunded is charged again."
    ),
    "withdraw": Waiting(
        ENDS, "Let a consumer withdraw from subscription NUMBER in 14 days: all is credited."
    ),
    "credit": Waiting(
        ENDS,
        "Take INVOICE (F2026-000001) of ORGANISATION back, whole or in part, by a credit note.",
    ),
    "notices": Waiting(
        "sales.subscription_notices",
        "Show which renewals to announce, and which were not announced in time.",
    ),
}


@click.group(
    cls=Imported,
    waiting=WAITING,
    before={"plans": "sales.plan", "contract": "sales.contract"},
)
def subscription() -> None:
    """Say who subscribed to what, and what becomes of it."""


@subscription.command(name="list")
@json_option
@pass_context
def list_all(context: Context, *, as_json: bool) -> None:
    """Show all subscriptions."""
    with context.reading() as session:
        rows = [
            _facts(session, subscription, context.today)
            for subscription in opening.everyone(session)
        ]
    context.show(rows, as_json=as_json)


@subscription.command(name="show")
@click.argument("who")
@json_option
@pass_context
def show_one(context: Context, who: str, *, as_json: bool) -> None:
    """Show the subscription number WHO, or those of the e-mail address WHO."""
    with context.reading() as session:
        rows = [
            {
                **_facts(session, subscription, context.today),
                **_pinned_facts(session, context, subscription),
            }
            for subscription in opening.find(session, who)
        ]
    if as_json:
        context.show(rows, as_json=True)
        return
    for facts in rows:
        context.show(facts)


def parties(version: SubscriptionVersion) -> Facts:
    """Return who sells, and who supports: nobody where the seller is alone."""
    contract = version.contract
    alone = contract.mode == contracts.ALONE
    return {"seller": contract.seller.name, "supporter": "" if alone else contract.supporter.name}


def _facts(session: Session, subscription: Subscription, today: date) -> Facts:
    version = subscription.versions[-1]
    return {
        "subscription": subscription.id,
        "subscriber": subscription.subscriber.name,
        "email": subscription.subscriber.email,
        "plan": version.plan.code,
        "term": version.period,
        "price": opening.price_of(session, subscription, version.from_day),
        **parties(opening.version_on(subscription, today)),
        "first_day": subscription.first_day.isoformat(),
        "billed_to": subscription.billed_to.isoformat(),
        "state": subscription.state,
    }


def _pinned_facts(session: Session, context: Context, subscription: Subscription) -> Facts:
    version = subscription.versions[-1]
    return {
        "order": subscription.order_id,
        "last_day": subscription.last_day and subscription.last_day.isoformat(),
        "may_end_free_of_charge": renewals.unannounced(session, subscription, context.today),
        "version_from": version.from_day.isoformat(),
        "prices_of": version.priced_on.isoformat(),
        "users": version.users,
        "gib": version.gib,
        "contract_from": version.contract.valid_from.isoformat(),
        "mode": version.contract.mode,
        "versions": [_version_facts(each) for each in subscription.versions],
        "discounts": [
            {
                "from": each.first_day.isoformat(),
                "to": each.last_day and each.last_day.isoformat(),
                "percent": percent(each.basis_points),
                "reason": each.reason,
            }
            for each in charges.due_of(session, subscription).reductions
        ],
    }


def _version_facts(version: SubscriptionVersion) -> Facts:
    return {
        "from": version.from_day.isoformat(),
        "anchor": version.anchor_day.isoformat(),
        "plan": version.plan.code,
        "term": version.period,
        "prices_of": version.priced_on.isoformat(),
        "users": version.users,
        "gib": version.gib,
        "means": version.means,
        **parties(version),
        "mode": version.contract.mode,
    }
