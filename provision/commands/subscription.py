"""`paquet subscription`: plans and prices, contracts between sellers and supporters, who pays."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision.commands.context import dry_run_option, json_option, pass_context, show
from provision.commands.money import day_type, worded
from provision.subscriptions import contracts, organisations, planfile, plans, subscriptions

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from provision.commands.context import Context
    from provision.subscriptions.models import Plan, Price, SplitContract
    from provision.subscriptions.subscription_models import Subscription

file_type = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def subscription() -> None:
    """Say what is sold and how it is shared, and see who subscribed."""


@subscription.group(name="plans")
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
    with context.session() as session:
        rows = [_plan_facts(plan) for plan in plans.everyone(session)]
    show(rows, as_json=as_json)


@plan_group.command(name="show")
@click.argument("code")
@json_option
@pass_context
def show_plan(context: Context, code: str, *, as_json: bool) -> None:
    """Show the plan CODE and all its prices."""
    language = context.settings.operator.language
    with context.session() as session:
        plan = plans.get(session, code)
        prices = [worded(_price_facts(one), language, as_json=as_json) for one in plan.prices]
        facts = _plan_facts(plan)
    if as_json:
        show({**facts, "prices": prices}, as_json=True)
    else:
        show(facts, as_json=False)
        show(prices, as_json=False)


@subscription.group(name="contract")
def contract_group() -> None:
    """Say how a business and an association share what is sold."""


@contract_group.command(name="add")
@click.argument("seller")
@click.argument("supporter")
@click.option("--seller-parts", type=int, required=True, help="For example 70.")
@click.option("--supporter-parts", type=int, required=True, help="For example 30.")
@click.option("--mode", type=click.Choice(contracts.MODES), default="resale", show_default=True)
@click.option("--from", "first_day", type=day_type, required=True, help="Its first day.")
@json_option
@pass_context
def add_contract(context: Context, /, *, as_json: bool, **words: object) -> None:
    """Write down how SELLER (a business) and SUPPORTER (an association) share from a day on.

    docs/money.md says what the four legal modes mean.
    """
    parts: tuple[int, int] = (words["seller_parts"], words["supporter_parts"])  # type: ignore[assignment]
    first_day: datetime = words["first_day"]  # type: ignore[assignment]
    with context.session() as session:
        seller = organisations.get(session, str(words["seller"]))
        supporter = organisations.get(session, str(words["supporter"]))
        made = contracts.add(
            session,
            seller,
            supporter,
            contracts.two(seller, supporter, parts),
            terms=(str(words["mode"]), first_day.date()),
        )
        facts = _contract_facts(made)
    show(facts, as_json=as_json)


@contract_group.command(name="list")
@json_option
@pass_context
def list_contracts(context: Context, *, as_json: bool) -> None:
    """Show all contracts, the latest first."""
    with context.session() as session:
        rows = [_contract_facts(one) for one in contracts.everyone(session)]
    show(rows, as_json=as_json)


@subscription.command(name="list")
@json_option
@pass_context
def list_all(context: Context, *, as_json: bool) -> None:
    """Show all subscriptions."""
    language = context.settings.operator.language
    with context.session() as session:
        found = [_facts(session, one) for one in subscriptions.everyone(session)]
    show([worded(facts, language, as_json=as_json) for facts in found], as_json=as_json)


@subscription.command(name="show")
@click.argument("who")
@json_option
@pass_context
def show_one(context: Context, who: str, *, as_json: bool) -> None:
    """Show the subscription number WHO, or those of the e-mail address WHO."""
    language = context.settings.operator.language
    with context.session() as session:
        found = [
            {**_facts(session, one), **_pinned_facts(one)}
            for one in subscriptions.find(session, who)
        ]
    rows = [worded(facts, language, as_json=as_json) for facts in found]
    if as_json:
        show(rows, as_json=True)
    else:
        for row in rows:
            show(row, as_json=False)


def _plan_facts(plan: Plan) -> dict[str, object]:
    return {
        "plan": plan.code,
        "name_fr": plan.name_fr,
        "name_en": plan.name_en,
        "users": plan.users,
        "quota_gib": plan.quota_gib,
    }


def _price_facts(price: Price) -> dict[str, object]:
    return {
        "from": price.valid_from.isoformat(),
        "component": price.component,
        "term": price.period,
        "price": plans.amount(price),
    }


def _contract_facts(contract: SplitContract) -> dict[str, object]:
    shares = [
        f"{share.parts} {share.fund.name if share.fund else share.organisation.name}"
        + (f" ({share.role})" if share.role else "")
        for share in contract.shares
    ]
    return {
        "from": contract.valid_from.isoformat(),
        "seller": contract.seller.name,
        "supporter": contract.supporter.name,
        "mode": contract.mode,
        "shares": ", ".join(shares),
    }


def _facts(session: Session, one: Subscription) -> dict[str, object]:
    version = one.versions[-1]
    return {
        "subscription": one.id,
        "subscriber": one.subscriber.name,
        "email": one.subscriber.email,
        "plan": version.plan.code,
        "term": version.period,
        "price": subscriptions.price_of(session, one, version.from_day),
        "seller": one.seller.name,
        "supporter": one.supporter.name,
        "first_day": one.first_day.isoformat(),
        "billed_to": one.billed_to.isoformat(),
        "state": one.state,
    }


def _pinned_facts(one: Subscription) -> dict[str, object]:
    version = one.versions[-1]
    return {
        "order": one.order_id,
        "last_day": one.last_day and one.last_day.isoformat(),
        "version_from": version.from_day.isoformat(),
        "prices_of": version.priced_on.isoformat(),
        "users": version.users,
        "gib": version.gib,
        "contract_from": version.contract.valid_from.isoformat(),
        "mode": version.contract.mode,
    }
