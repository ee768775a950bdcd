"""`paquet subscription change|discount|declare`: what becomes different, and what is declared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision import money
from provision.commands.sales.plan import percent
from provision.commands.sales.subscription import parties
from provision.commands.shared import changing, progress
from provision.commands.shared.changing import change_options, tried
from provision.commands.shared.context import pass_context
from provision.commands.shared.papers import document_facts
from provision.commands.shared.words import day_type, name_type, number_type, typed
from provision.registry import states
from provision.subscriptions.offers import plans, tariffs
from provision.subscriptions.offers.planfile import MOST_GIB, MOST_USERS
from provision.subscriptions.offers.tariffs import Tariff
from provision.subscriptions.parties import organisations
from provision.subscriptions.selling import cancelling, changes, opening, turnovers
from provision.subscriptions.selling.changes import Change
from provision.subscriptions.selling.due import Reduction
from provision.workflows import bundles, capacity, upkeep

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.registry.models import Bundle
    from provision.subscriptions.offers.models import Plan
    from provision.subscriptions.offers.tariffs import Means
    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.selling.changes import Changed
    from provision.workflows.control import Control


@dataclass(frozen=True)
class NewTerms:
    """What becomes different of a subscription, as it is typed; None stays as it was."""

    number: int
    from_day: date | None
    plan: str | None
    term: str | None
    users: int | None
    gib: int | None
    tier: str | None
    declared: tuple[str, ...]
    amount: str | None
    prices_of: date | None
    sold_by: str | None
    supported_by: str | None


@click.command()
@click.argument("number", type=number_type)
@click.option("--from", "from_day", type=day_type, help="The day; else today.")
@click.option("--plan", type=name_type, help="Another plan, with the prices of the day.")
@click.option("--term", type=click.Choice(plans.PERIODS), help="From the next term on.")
@click.option("--users", type=click.IntRange(1, MOST_USERS))
@click.option("--gib", type=click.IntRange(1, MOST_GIB))
@click.option("--tier", help="A price by means; '' for the whole price.")
@click.option("--declare", "declared", multiple=True, metavar="NAME=EUROS")
@click.option("--amount", help="The price of a month, where it is free.")
@click.option("--prices-of", type=day_type, help="Take the price list of another day.")
@click.option("--sold-by", type=name_type, help="Another seller: alone, or with --supported-by.")
@click.option(
    "--supported-by", type=name_type, help="Another association that supports; who sells: alone."
)
@typed(NewTerms, "wanted")
@change_options
@pass_context
def change(context: Context, wanted: NewTerms, how: How) -> None:
    """Change subscription NUMBER from a day on; billed days are credited and charged anew.

    Another term (monthly, yearly) begins when what is billed has ended. The server of its bundle
    gives the new room at once; of a later day, `paquet bundle deploy --due` on that day does.
    """
    control = context.control()

    def work(session: Session) -> Facts:
        changed, bundle = _changed(session, control, wanted)
        return {
            "subscription": wanted.number,
            "bundle": bundle and bundle.domain,
            "from": changed.version.from_day.isoformat(),
            "plan": changed.version.plan.code,
            "term": changed.version.period,
            "users": changed.version.users,
            "gib": changed.version.gib,
            **parties(changed.version),
            "documents": document_facts(session, changed.documents),
        }

    domain = _refuse_room(context, wanted)
    if changing.change(context, work, how) and domain:
        with progress.steps(quiet=how.as_json) as steps:
            upkeep.bring_room(context.control(steps), domain)


@dataclass(frozen=True)
class PriceLowered:
    """So much less of a subscription, in which days and why."""

    number: int
    percent_typed: str
    first_day: date | None
    last_day: date | None
    reason: str


@click.command()
@click.argument("number", type=number_type)
@click.argument("percent_typed", metavar="PERCENT")
@click.option("--from", "first_day", type=day_type, help="Its first day; else the next term's.")
@click.option("--to", "last_day", type=day_type, help="Its last day; else for good.")
@click.option("--reason", required=True, help="The subscriber reads it on the invoice.")
@typed(PriceLowered, "wanted")
@change_options
@pass_context
def discount(context: Context, wanted: PriceLowered, how: How) -> None:
    """Ask PERCENT less of subscription NUMBER (12.5), in days that are not billed yet."""
    points = money.parse(_hundredths(wanted.percent_typed)).units

    def work(session: Session) -> Facts:
        subscription = opening.get(session, wanted.number)
        first = wanted.first_day or subscription.billed_to
        reduction = Reduction(first, wanted.last_day, points, wanted.reason)
        granted = changes.discount(session, subscription, reduction)
        return {
            "subscription": subscription.id,
            "percent": percent(granted.basis_points),
            "from": granted.first_day.isoformat(),
            "to": granted.last_day and granted.last_day.isoformat(),
            "reason": granted.reason,
        }

    changing.change(context, work, how)


@click.command()
@click.argument("number", type=number_type)
@click.argument("month")
@click.argument("amount")
@change_options
@pass_context
def declare(context: Context, number: int, month: str, amount: str, how: How) -> None:
    """Write that subscription NUMBER sold for AMOUNT in MONTH (2026-03), and invoice its part."""
    units = money.parse(amount).units
    today = context.today

    def work(session: Session) -> Facts:
        subscription = opening.get(session, number)
        numbers = turnovers.declare(session, subscription, month, units, today=today)
        return {
            "subscription": subscription.id,
            "month": month,
            "turnover": money.euros(units),
            "documents": document_facts(session, numbers),
        }

    changing.change(context, work, how)


def _changed(session: Session, control: Control, wanted: NewTerms) -> tuple[Changed, Bundle | None]:
    """Change a subscription; return what it is then, and the bundle that it is for."""
    subscription, today = opening.get(session, wanted.number), control.today()
    plan = plans.get(session, wanted.plan) if wanted.plan else None
    terms = Change(
        plan=plan,
        period=wanted.term,
        users=wanted.users,
        gib=wanted.gib,
        means=_means(plan or subscription.versions[-1].plan, wanted),
        prices_of=wanted.prices_of,
        seller=_named(session, wanted.sold_by),
        supporter=_named(session, wanted.supported_by),
    )
    changed = changes.change(session, subscription, terms, wanted.from_day or today, today=today)
    what = f"changed from {changed.version.from_day} on, to version {changed.version.version}"
    states.record(session, cancelling.subject(subscription), what, control.told())
    bundle = capacity.bundle_of(session, subscription)
    if bundle is not None:
        capacity.refuse_people(bundle, changed.version.users)
    return changed, bundle


def _named(session: Session, name: str | None) -> Organisation | None:
    return organisations.get(session, name) if name else None


def _refuse_room(context: Context, wanted: NewTerms) -> str | None:
    """Return the domain of the bundle, if there is one and it fits: nobody waits meanwhile."""
    control = context.control()

    def look(session: Session) -> tuple[str | None, int]:
        changed, bundle = _changed(session, control, wanted)
        return bundle.domain if bundle else None, changed.version.gib

    domain, gib = tried(context, look)
    if domain is not None:
        capacity.refuse_room(control, bundles.find(control, domain), gib)
    return domain


def _means(plan: Plan, wanted: NewTerms) -> Means | None:
    if wanted.tier is None and not wanted.declared and wanted.amount is None:
        return None
    tariff = Tariff.model_validate_json(plan.tariff)
    return tariffs.parse_means(tariff, wanted.tier or "", wanted.declared, wanted.amount)


def _hundredths(written: str) -> str:
    """Let people write 12.5: basis points are hundredths, and `money.parse` wants two of them."""
    whole, comma, decimals = (
        written.strip().removesuffix("%").strip().replace(",", ".").partition(".")
    )
    return f"{whole}{comma}{decimals.ljust(2, '0') if comma else ''}"
