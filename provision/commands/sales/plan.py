"""`paquet plan`: what is sold, for how much from which day on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision import money
from provision.commands.shared.changing import change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import file_type, json_option
from provision.subscriptions.offers import planfile, plans
from provision.subscriptions.offers.tariffs import Tariff
from provision.subscriptions.offers.vat import GROSS

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.subscriptions.offers.models import Plan, PlanComponent, Price


@click.group()
def plan() -> None:
    """Say what is sold, for how much from which day on."""


@plan.command(name="import")
@click.argument("file", type=file_type)
@change_options
@pass_context
def import_plans(context: Context, file: Path, how: How) -> None:
    """Bring in the plans of FILE (see templates/plans.example.toml); only what is new is written.

    A price that is there is never rewritten: a new price has a later first day.
    """
    written = planfile.read(file)

    def work(session: Session) -> list[Facts]:
        return [
            {"plan": change.plan, "change": change.what, "price": change.price}
            for change in plans.bring_in(session, written)
        ]

    change(context, work, how, nothing="Nothing is new.")


@plan.command(name="list")
@json_option
@pass_context
def list_plans(context: Context, *, as_json: bool) -> None:
    """Show all plans."""
    with context.reading() as session:
        rows = [_plan_facts(plan) for plan in plans.everyone(session)]
    context.show(rows, as_json=as_json)


@plan.command(name="show")
@click.argument("code")
@json_option
@pass_context
def show_plan(context: Context, code: str, *, as_json: bool) -> None:
    """Show the plan CODE: its components, all its prices, and who pays less or more."""
    with context.reading() as session:
        plan = plans.get(session, code)
        facts: Facts = {
            **_plan_facts(plan),
            **_tariff_facts(plan),
            "components": [_component_facts(component) for component in plan.components],
            "prices": [_price_facts(price) for price in plan.prices],
            "tiers": _tier_facts(plan),
        }
    context.show(facts, as_json=as_json)


def _plan_facts(plan: Plan) -> Facts:
    return {
        "plan": plan.code,
        "name_fr": plan.name_fr,
        "name_en": plan.name_en,
        "users": plan.users,
        "quota_gib": plan.quota_gib,
        "vat": "included" if plan.basis == GROSS else "excluded",
        "trial_days": plan.trial_days,
    }


def _component_facts(component: PlanComponent) -> Facts:
    return {
        "component": component.code,
        "name_fr": component.name_fr,
        "name_en": component.name_en,
        "per": component.per,
        "included": component.included,
        "role": component.role,
        "euro_only": bool(component.euro_only),
    }


def _tariff_facts(plan: Plan) -> Facts:
    """Say what looks at who pays; what a plan does not have is empty."""
    tariff = Tariff.model_validate_json(plan.tariff)
    free = tariff.free
    return {
        "formula": tariff.formula or None,
        "asks": ", ".join(tariff.asks) or None,
        "free_from": money.euros(free.floor) if free else None,
        "reference": money.euros(free.reference) if free else None,
        "part_of_turnover": percent(tariff.turnover_basis_points) or None,
    }


def _tier_facts(plan: Plan) -> list[Facts]:
    return [
        {
            "tier": tier.code,
            "name_fr": tier.name_fr,
            "name_en": tier.name_en,
            "pays": percent(tier.basis_points) or "nothing",
            "proof": tier.proof,
        }
        for tier in Tariff.model_validate_json(plan.tariff).tiers
    ]


def percent(basis_points: int) -> str:
    """Write basis points as people read them: '12.5 %'."""
    whole, rest = divmod(basis_points, 100)
    decimals = f".{rest:02d}".rstrip("0") if rest else ""
    return f"{whole}{decimals} %" if basis_points else ""


def _price_facts(price: Price) -> Facts:
    return {
        "from": price.valid_from.isoformat(),
        "component": price.component,
        "term": price.period,
        "price": plans.amount(price),
    }
