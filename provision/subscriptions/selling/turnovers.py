"""A tariff that is a part of what the subscriber sold: declared month by month, billed at once."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from provision.days import sensible_day
from provision.errors import UsageRefused
from provision.formats.facturx import wording
from provision.subscriptions.documents import deducting, drafts, issuing
from provision.subscriptions.documents.drafts import Draft
from provision.subscriptions.offers import sharing, tariffs, terms
from provision.subscriptions.offers.catalogue import Asked, Catalogue, Item
from provision.subscriptions.offers.planfile import BUNDLE
from provision.subscriptions.offers.tariffs import Tariff
from provision.subscriptions.offers.treatments import Taxing
from provision.subscriptions.selling import charges
from provision.subscriptions.selling.models import Turnover
from provision.subscriptions.selling.opening import WAITING

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.documents.issuing import Number
    from provision.subscriptions.offers.models import Plan
    from provision.subscriptions.offers.terms import Term
    from provision.subscriptions.selling.due import Due
    from provision.subscriptions.selling.models import Subscription

TURNOVER = "turnover"
MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
LABEL = {
    "fr": "{percent} % du chiffre d’affaires de {month}",
    "en": "{percent} % of the turnover of {month}",
}


def declare(
    session: Session, subscription: Subscription, month: str, units: Cents, *, today: date
) -> list[Number]:
    """Write what was sold in `month` ("2026-03", over by `today`), and invoice its part at once.

    Raises UsageRefused for a month that was declared: it is never rewritten, but can be credited.
    """
    days = month_of(month)
    due = charges.due_of(session, subscription)
    catalogue = Catalogue(session)
    first_day = max(days.starts, subscription.first_day)
    plan = catalogue.plan(due.version_on(first_day).plan_id)
    points = Tariff.model_validate_json(plan.tariff).turnover_basis_points
    _check(session, subscription, days, today)
    if not points:
        raise UsageRefused(
            f"The plan {plan.code} does not depend on turnover",
            f"See: paquet plan show {plan.code}",
        )
    if units < 0:
        raise UsageRefused("A turnover is not below zero", "Credit an invoice instead.")
    session.add(
        Turnover(subscription_id=subscription.id, month=month, units=units, declared_on=today)
    )
    session.flush()
    item = Item(TURNOVER, _role(plan), _label(due, days, points), 1, 0)
    asked = Asked(item, tariffs.part(units, points), days)
    return _invoice(session, due, asked, today)


def month_of(written: str) -> Term:
    """Return the days of a month that is written like 2026-03."""
    match = MONTH.fullmatch(written)
    if match is None:
        raise UsageRefused(f"{written[:40]!r} is not a month", "Write it like 2026-03.")
    day = sensible_day(date(max(int(match[1]), 1), int(match[2]), 1), "the first day of a month")
    return terms.term_of(day, terms.MONTHLY, day)


def _check(session: Session, subscription: Subscription, days: Term, today: date) -> None:
    month = f"{days.starts:%Y-%m}"
    if days.until > today:
        raise UsageRefused(f"{month} is not over on {today}", "Declare it when it has ended.")
    last_day = subscription.last_day
    if days.until <= subscription.first_day or (last_day is not None and last_day < days.starts):
        raise UsageRefused(
            f"Subscription {subscription.id} did not run in {month}", "Check the month once more."
        )
    if subscription.state == WAITING:
        raise UsageRefused(f"Subscription {subscription.id} is not delivered yet")
    if session.get(Turnover, (subscription.id, month)) is not None:
        raise UsageRefused(
            f"The turnover of {month} was declared already",
            "If it was wrong, credit its invoice: paquet subscription credit --help",
        )


def _invoice(session: Session, due: Due, asked: Asked, today: date) -> list[Number]:
    """Issue the month's part. Its line has no days: a term of these days may be billed later."""
    if not asked.units:
        return []
    catalogue, dealer = Catalogue(session), sharing.load(session)
    version = due.version_on(max(asked.days.starts, due.versions[0].from_day))
    basis = catalogue.plan(version.plan_id).basis
    how = Taxing(catalogue, due.person, today).of_basis(basis)
    agreement = catalogue.agreement(version.contract_id)
    key = f"turnover:{due.subscription_id}:{asked.days.starts:%Y-%m}"
    month_drafts = [
        Draft(issuer, key, due.buyer, tuple(replace(line, days=None) for line in lines))
        for issuer, lines in drafts.drafted([asked], agreement, dealer, how)
    ]
    numbers = issuing.issue(session, month_drafts, catalogue, today)
    deducting.deduct(session, month_drafts, numbers, today)
    sharing.save(session, dealer)
    return numbers


def _role(plan: Plan) -> str:
    return next(component.role for component in plan.components if component.code == BUNDLE)


def _label(due: Due, days: Term, points: int) -> str:
    month = wording.MONTHS[due.language][days.starts.month - 1]
    return LABEL[due.language].format(
        percent=f"{points / 100:g}".replace(".", "," if due.language == "fr" else "."),
        month=f"{month} {days.starts.year}",
    )
