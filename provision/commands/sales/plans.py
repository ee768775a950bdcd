"""`paquet subscription plans`: what is sold, for how much from which day on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision import money
from provision.commands.shared.amounts import worded
from provision.commands.shared.context import dry_run_option, json_option, pass_context, show
from provision.subscriptions.offers import planfile, plans
from provision.subscriptions.offers.tariffs import Tariff
from provision.subscriptions.offers.vat import GROSS

if TYPE_CHECKING:
    from provision.commands.shared.context import Context
    from provision.subscriptions.offers.models import Plan, PlanComponent, Price

file_type = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(name="plans")
def plan_group() -> None:
    """Say what is sold, for how much from which day on."""


@plan_group.command(name="import")
@click.argument("file", type=file_type)
@dry_run_option
@json_option
@pass_context
def import_plans(context: Context, file: Path, *, dry_run: bool, as_json: bool) -> None:
    """Bring in the plans of FILE (see templates/plans.example.toml); only what is new is written.

    A price that is there is never rewritten: a new price has a later first day.
    """
    written = planfile.read(file)
    with context.session() as session:
        changes = plans.bring_in(session, written)
        if dry_run:
            session.rollback()
    show([{"plan": change.plan, "change": change.what} for change in changes], as_json=as_json)
    if not as_json and not changes:
        click.echo("Nothing is new.")


@plan_group.command(name="list")
@json_option
@pass_context
def list_plans(context: Context, *, as_json: bool) -> None:
    """Show all plans."""
    with context.reading() as session:
        rows = [_plan_facts(plan) for plan in plans.everyone(session)]
    show(rows, as_json=as_json)


@plan_group.command(name="show")
@click.argument("code")
@json_option
@pass_context
def show_plan(context: Context, code: str, *, as_json: bool) -> None:
    """Show the plan CODE: its components, all its prices, and who pays less or more."""
    language = context.settings.operator.language
    with context.reading() as session:
        plan = plans.get(session, code)
        prices = [worded(_price_facts(one), language, as_json=as_json) for one in plan.prices]
        facts = {**_plan_facts(plan), **_tariff_facts(plan, language, as_json=as_json)}
        components = [_component_facts(one) for one in plan.components]
        tiers = _tier_facts(plan)
    lists = {"components": components, "prices": prices, "tiers": tiers}
    if as_json:
        show({**facts, **lists}, as_json=True)
        return
    show(facts, as_json=False)
    for rows in lists.values():
        show(rows, as_json=False)


def _plan_facts(plan: Plan) -> dict[str, object]:
    return {
        "plan": plan.code,
        "name_fr": plan.name_fr,
        "name_en": plan.name_en,
        "users": plan.users,
        "quota_gib": plan.quota_gib,
        "vat": "included" if plan.basis == GROSS else "excluded",
        "trial_days": plan.trial_days,
    }


def _component_facts(one: PlanComponent) -> dict[str, object]:
    return {
        "component": one.code,
        "name_fr": one.name_fr,
        "name_en": one.name_en,
        "per": one.per,
        "included": one.included,
        "role": one.role,
        "euro_only": bool(one.euro_only),
    }


def _tariff_facts(plan: Plan, language: str, *, as_json: bool) -> dict[str, object]:
    """Say what looks at who pays; what a plan does not have is empty."""
    tariff = Tariff.model_validate_json(plan.tariff)
    free = tariff.free
    facts = {
        "formula": tariff.formula or None,
        "asks": ", ".join(tariff.asks) or None,
        "free_from": money.euros(free.floor) if free else None,
        "reference": money.euros(free.reference) if free else None,
        "part_of_turnover": percent(tariff.turnover_basis_points) or None,
    }
    return worded(facts, language, as_json=as_json)


def _tier_facts(plan: Plan) -> list[dict[str, object]]:
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


def _price_facts(price: Price) -> dict[str, object]:
    return {
        "from": price.valid_from.isoformat(),
        "component": price.component,
        "term": price.period,
        "price": plans.amount(price),
    }
