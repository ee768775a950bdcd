"""Plans in the registry, and what they cost on a day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision import money
from provision.errors import UsageRefused
from provision.money import EUR, Amount
from provision.registry import edges
from provision.subscriptions.models import Plan, Price

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.subscriptions.planfile import DatedPrice, WrittenPlan

MONTHLY, YEARLY = "monthly", "yearly"
PERIODS = (MONTHLY, YEARLY)


@dataclass(frozen=True)
class Change:
    """What an import did to one plan, in words."""

    plan: str
    what: str


def bring_in(session: Session, written: Iterable[WrittenPlan]) -> list[Change]:
    """Add what the registry lacks, and return it; the same file again changes nothing.

    Raises UsageRefused when a price that is there would get another amount.
    """
    changes = [change for plan in written for change in _bring_in_one(session, plan)]
    session.flush()
    return changes


def get(session: Session, code: str) -> Plan:
    """Return the plan of this code, or raise UsageRefused."""
    found = session.scalar(select(Plan).where(Plan.code == edges.code(code, "code of a plan")))
    if found is None:
        raise UsageRefused(f"There is no plan {code}", "See: paquet subscription plans list")
    return found


def everyone(session: Session) -> list[Plan]:
    """Return all plans by code."""
    return list(session.scalars(select(Plan).order_by(Plan.code)))


def price_on(session: Session, plan: Plan, day: date, period: str = MONTHLY) -> Price:
    """Return what a term of the plan costs on `day`, or raise UsageRefused."""
    if period not in PERIODS:
        raise UsageRefused(f"{period[:40]!r} is not a term", f"Use {'|'.join(PERIODS)}.")
    found = session.scalar(
        select(Price)
        .where(Price.plan_id == plan.id, Price.period == period, Price.valid_from <= day)
        .order_by(Price.valid_from.desc())
        .limit(1)
    )
    if found is None:
        raise UsageRefused(
            f"The plan {plan.code} has no {period} price on {day}",
            f"See its prices: paquet subscription plans show {plan.code}",
        )
    return found


def amount(price: Price) -> Amount:
    """Return what a price asks for one term."""
    return Amount(money.find_commodity(price.commodity), price.units)


def _bring_in_one(session: Session, written: WrittenPlan) -> Iterator[Change]:
    plan = session.scalar(select(Plan).where(Plan.code == written.code))
    if plan is None:
        plan = Plan(code=written.code)
        session.add(plan)
        yield Change(written.code, "added")
    elif _described(plan) != _wanted(written):
        yield Change(written.code, "described anew")
    plan.name_fr, plan.name_en, plan.users, plan.quota_gib = _wanted(written)
    known = {(price.period, price.valid_from): price for price in plan.prices}
    for dated in written.price:
        for period, units in _terms(dated):
            there = known.get((period, dated.valid_from))
            if there is None:
                plan.prices.append(_price(period, units, dated.valid_from))
                shown = money.show(money.euros(units), "en")
                yield Change(written.code, f"{period} price {shown} from {dated.valid_from}")
            elif there.units != units:
                raise _rewritten(written.code, there)


def _described(plan: Plan) -> tuple[str, str, int, int]:
    return plan.name_fr, plan.name_en, plan.users, plan.quota_gib


def _wanted(written: WrittenPlan) -> tuple[str, str, int, int]:
    return written.name.fr, written.name.en, written.users, written.quota_gib


def _terms(dated: DatedPrice) -> Iterator[tuple[str, int]]:
    for period, units in ((MONTHLY, dated.monthly), (YEARLY, dated.yearly)):
        if units is not None:
            yield period, units


def _price(period: str, units: int, valid_from: date) -> Price:
    return Price(period=period, commodity=EUR.code, units=units, valid_from=valid_from)


def _rewritten(code: str, there: Price) -> UsageRefused:
    return UsageRefused(
        f"The plan {code} has the {there.period} price {money.show(amount(there), 'en')} "
        f"from {there.valid_from} already",
        "A price is never rewritten: give the new one a later day and keep the old one.",
    )
