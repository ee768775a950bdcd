"""Plans in the registry, and what they cost on a day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision import edges, money, strict
from provision.errors import UsageRefused
from provision.money import EUR, Amount
from provision.subscriptions.offers import vat
from provision.subscriptions.offers.models import Plan, PlanComponent, Price
from provision.subscriptions.offers.planfile import BUNDLE
from provision.subscriptions.offers.terms import MONTHLY, YEARLY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.subscriptions.offers.planfile import DatedPrice, WrittenPlan

PERIODS = (MONTHLY, YEARLY)


@dataclass(frozen=True)
class PlanChange:
    """What an import did to one plan, in words, and the new price of a term if it is one."""

    plan: str
    what: str
    price: Amount | None = None


def bring_in(session: Session, written: Iterable[WrittenPlan]) -> list[PlanChange]:
    """Add what the registry lacks, and return it; the same file again changes nothing.

    Raises UsageRefused when prices that are there would get another amount, for all of them.
    """
    changes: list[PlanChange] = []
    refused: list[UsageRefused] = []
    for plan in written:
        for change in _bring_in_one(session, plan):
            if isinstance(change, PlanChange):
                changes.append(change)
            else:
                refused.append(change)
    if refused:
        raise strict.together(refused)
    session.flush()
    return changes


def get(session: Session, code: str) -> Plan:
    """Return the plan of this code, or raise UsageRefused."""
    plan = session.scalar(select(Plan).where(Plan.code == edges.code(code, "code of a plan")))
    if plan is None:
        raise UsageRefused(f"There is no plan {code}", "See: paquet plan list")
    return plan


def everyone(session: Session) -> list[Plan]:
    """Return all plans by code."""
    return list(session.scalars(select(Plan).order_by(Plan.code)))


def prices_on(session: Session, plan: Plan, day: date, period: str = MONTHLY) -> dict[str, Price]:
    """Return what a term of each component costs on `day`; the bundle itself must have a price."""
    if period not in PERIODS:
        raise UsageRefused(f"{period[:40]!r} is not a term", f"Use {'|'.join(PERIODS)}.")
    rows = session.scalars(
        select(Price)
        .where(Price.plan_id == plan.id, Price.period == period, Price.valid_from <= day)
        .order_by(Price.valid_from)
    )
    prices = {price.component: price for price in rows}
    if BUNDLE not in prices:
        raise UsageRefused(
            f"The plan {plan.code} has no {period} price on {day}",
            f"See its prices: paquet plan show {plan.code}",
        )
    return prices


def amount(price: Price) -> Amount:
    """Return what a price asks for one term."""
    return Amount(money.find_commodity(price.commodity), price.units)


def _bring_in_one(session: Session, written: WrittenPlan) -> Iterator[PlanChange | UsageRefused]:
    """Yield what is new of a plan, and what cannot be: nothing of it is kept then."""
    plan = session.scalar(select(Plan).where(Plan.code == written.code))
    wanted = _wanted(written)
    if plan is None:
        plan = Plan(code=written.code, **wanted)
        session.add(plan)
        yield PlanChange(written.code, "added")
    else:
        yield from _described_anew(plan, wanted)
    yield from _bring_in_components(plan, written)
    known = {(price.component, price.period, price.valid_from): price for price in plan.prices}
    for dated in written.price:
        for period, units in _terms(dated):
            there = known.get((dated.component, period, dated.valid_from))
            if there is None:
                price = _price(dated, period, units)
                plan.prices.append(price)
                named = period if dated.component == BUNDLE else f"{dated.component} {period}"
                what = f"{named} price from {dated.valid_from}"
                yield PlanChange(written.code, what, amount(price))
            elif there.units != units:
                yield _rewritten(written.code, there)


def _described_anew(plan: Plan, wanted: dict[str, object]) -> Iterator[PlanChange | UsageRefused]:
    """Change what people read of a plan; what subscriptions stand on stays as it is."""
    if any(getattr(plan, name) != wanted[name] for name in ("basis", "tariff")):
        yield UsageRefused(
            f"The plan {plan.code} is priced otherwise: its VAT, tiers, formula or free price",
            "Subscriptions stand on them: give the new one its own code.",
        )
    elif any(getattr(plan, name) != value for name, value in wanted.items()):
        yield PlanChange(plan.code, "described anew")
        for name, value in wanted.items():
            setattr(plan, name, value)


def _bring_in_components(plan: Plan, written: WrittenPlan) -> Iterator[PlanChange | UsageRefused]:
    """Add the components that are new; one that is there keeps how it is counted and shared."""
    known = {component.code: component for component in plan.components}
    for component in written.components():
        wanted = {
            "per": component.per,
            "role": component.role,
            "included": component.included,
            "euro_only": int(component.euro_only),
        }
        there = known.get(component.code)
        if there is None:
            names = {"name_fr": component.name.fr, "name_en": component.name.en}
            plan.components.append(PlanComponent(code=component.code, **names, **wanted))
            if component.code != BUNDLE:
                yield PlanChange(written.code, f"component {component.code} added")
        elif any(getattr(there, name) != value for name, value in wanted.items()):
            yield UsageRefused(
                f"The component {component.code} of {written.code} is counted or shared otherwise",
                "It is never rewritten: give the new one its own code.",
            )


def _wanted(written: WrittenPlan) -> dict[str, object]:
    return {
        "name_fr": written.name.fr,
        "name_en": written.name.en,
        "users": written.users,
        "quota_gib": written.quota_gib,
        "basis": vat.GROSS if written.vat == "included" else vat.NET,
        "trial_days": written.trial_days,
        "tariff": written.tariff().model_dump_json(exclude_defaults=True),
    }


def _terms(dated: DatedPrice) -> Iterator[tuple[str, int]]:
    for period, units in ((MONTHLY, dated.monthly), (YEARLY, dated.yearly)):
        if units is not None:
            yield period, units


def _price(dated: DatedPrice, period: str, units: int) -> Price:
    return Price(
        component=dated.component,
        period=period,
        commodity=EUR.code,
        units=units,
        valid_from=dated.valid_from,
    )


def _rewritten(code: str, there: Price) -> UsageRefused:
    return UsageRefused(
        f"The plan {code} has the {there.period} price {money.show(amount(there), 'en')} "
        f"from {there.valid_from} already",
        "A price is never rewritten: give the new one a later day and keep the old one.",
    )
