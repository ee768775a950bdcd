"""`paquet subscription change|discount|declare`: what becomes different, and what is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from provision import money
from provision.commands.sales.plan import percent
from provision.commands.shared import progress
from provision.commands.shared.words import day_type
from provision.commands.shared.context import (
    dry_run_option,
    json_option,
    number_type,
    pass_context,
    yes_option,
)
from provision.commands.shared.deciding import decide, document_facts, tell
from provision.errors import UsageRefused
from provision.registry import states
from provision.subscriptions.offers import plans, tariffs
from provision.subscriptions.offers.planfile import MOST_GIB, MOST_USERS
from provision.subscriptions.offers.tariffs import Tariff
from provision.subscriptions.selling import cancelling, changes, turnovers
from provision.subscriptions.selling.changes import Change
from provision.subscriptions.selling.due import Reduction
from provision.subscriptions.selling.models import Subscription
from provision.workflows import bundles, capacity, upkeep

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

    from provision.commands.shared.context import Context
    from provision.subscriptions.offers.models import Plan
    from provision.subscriptions.offers.tariffs import Means


@click.command()
@click.argument("number", type=number_type)
@click.option("--from", "from_day", type=day_type, help="The day; else today.")
@click.option("--plan", help="Another plan, with the prices of the day.")
@click.option("--term", type=click.Choice(plans.PERIODS), help="From the next term on.")
@click.option("--users", type=click.IntRange(1, MOST_USERS))
@click.option("--gib", type=click.IntRange(1, MOST_GIB))
@click.option("--tier", help="A price by means; '' for the whole price.")
@click.option("--declare", "declared", multiple=True, metavar="NAME=EUROS")
@click.option("--amount", help="The price of a month, where it is free.")
@click.option("--prices-of", type=day_type, help="Take the price list of another day.")
@yes_option
@dry_run_option
@json_option
@pass_context
def change(context: Context, /, **words: object) -> None:
    """Change subscription NUMBER from a day on; billed days are credited and charged anew.

    Another term (monthly, yearly) begins when what is billed has ended. The server of its bundle
    gives the new room at once; of a later day, `paquet bundle deploy --due` on that day does.
    """
    control = context.control()
    from_day: datetime | None = words["from_day"]  # type: ignore[assignment]
    day = from_day.date() if from_day else control.today()

    def work(session: Session) -> dict[str, object]:
        one = get(session, words["number"])
        made = changes.change(
            session, one, _change(session, one, words), day, today=control.today()
        )
        what = f"changed from {made.version.from_day} on, to version {made.version.version}"
        states.record(session, cancelling.subject(one), what, control.told())
        bundle = capacity.bundle_of(session, one)
        if bundle is not None:
            capacity.refuse_people(bundle, made.version.users)
        return {
            "subscription": one.id,
            "bundle": bundle and bundle.domain,
            "from": made.version.from_day.isoformat(),
            "plan": made.version.plan.code,
            "term": made.version.period,
            "users": made.version.users,
            "gib": made.version.gib,
            "documents": document_facts(session, made.documents),
        }

    would = decide(context, work, dry_run=True, yes=True)
    if would["bundle"]:
        bundle = bundles.find(control, str(would["bundle"]))
        capacity.refuse_room(control, bundle, cast("int", would["gib"]))
    if words["dry_run"]:
        tell(context, would, as_json=bool(words["as_json"]))
        return
    found = decide(context, work, dry_run=False, yes=bool(words["yes"]))
    tell(context, found, as_json=bool(words["as_json"]))
    if found["bundle"]:
        with progress.steps(quiet=bool(words["as_json"])) as steps:
            upkeep.bring_room(context.control(steps), str(found["bundle"]))


@click.command()
@click.argument("number", type=number_type)
@click.argument("percent_typed", metavar="PERCENT")
@click.option("--from", "first_day", type=day_type, help="Its first day; else the next term's.")
@click.option("--to", "last_day", type=day_type, help="Its last day; else for good.")
@click.option("--reason", required=True, help="The subscriber reads it on the invoice.")
@yes_option
@dry_run_option
@json_option
@pass_context
def discount(context: Context, /, **words: object) -> None:
    """Ask PERCENT less of subscription NUMBER (12.5), in days that are not billed yet."""
    points = money.parse(_hundredths(str(words["percent_typed"]))).units
    first: datetime | None = words["first_day"]  # type: ignore[assignment]
    last: datetime | None = words["last_day"]  # type: ignore[assignment]

    def work(session: Session) -> dict[str, object]:
        one = get(session, words["number"])
        wanted = Reduction(
            first.date() if first else one.billed_to,
            last.date() if last else None,
            points,
            str(words["reason"]),
        )
        made = changes.discount(session, one, wanted)
        return {
            "subscription": one.id,
            "percent": percent(made.basis_points),
            "from": made.first_day.isoformat(),
            "to": made.last_day and made.last_day.isoformat(),
            "reason": made.reason,
        }

    found = decide(context, work, dry_run=bool(words["dry_run"]), yes=bool(words["yes"]))
    tell(context, found, as_json=bool(words["as_json"]))


@click.command()
@click.argument("number", type=number_type)
@click.argument("month")
@click.argument("amount")
@yes_option
@dry_run_option
@json_option
@pass_context
def declare(context: Context, /, **words: object) -> None:
    """Write that subscription NUMBER sold for AMOUNT in MONTH (2026-03), and invoice its part."""
    units = money.parse(words["amount"]).units
    today = context.control().today()

    def work(session: Session) -> dict[str, object]:
        one = get(session, words["number"])
        numbers = turnovers.declare(session, one, str(words["month"]), units, today=today)
        return {
            "subscription": one.id,
            "month": words["month"],
            "turnover": money.euros(units),
            "documents": document_facts(session, numbers),
        }

    found = decide(context, work, dry_run=bool(words["dry_run"]), yes=bool(words["yes"]))
    tell(context, found, as_json=bool(words["as_json"]))


def get(session: Session, number: object) -> Subscription:
    """Return the subscription of this number, or raise UsageRefused."""
    found = session.get(Subscription, number)
    if found is None:
        raise UsageRefused(f"There is no subscription {number}", "See: paquet subscription list")
    return found


def _change(session: Session, one: Subscription, words: Mapping[str, object]) -> Change:
    plan = plans.get(session, str(words["plan"])) if words["plan"] else None
    prices_of: datetime | None = words["prices_of"]  # type: ignore[assignment]
    return Change(
        plan=plan,
        period=words["term"],  # type: ignore[arg-type]
        users=words["users"],  # type: ignore[arg-type]
        gib=words["gib"],  # type: ignore[arg-type]
        means=_means(plan or one.versions[-1].plan, words),
        prices_of=prices_of.date() if prices_of else None,
    )


def _means(plan: Plan, words: Mapping[str, object]) -> Means | None:
    tier: str | None = words["tier"]  # type: ignore[assignment]
    declared: tuple[str, ...] = words["declared"]  # type: ignore[assignment]
    amount: str | None = words["amount"]  # type: ignore[assignment]
    if tier is None and not declared and amount is None:
        return None
    return tariffs.parse_means(
        Tariff.model_validate_json(plan.tariff), tier or "", declared, amount
    )


def _hundredths(typed: str) -> str:
    """Let people write 12.5: basis points are hundredths, and `money.parse` wants two of them."""
    whole, comma, decimals = (
        typed.strip().removesuffix("%").strip().replace(",", ".").partition(".")
    )
    return f"{whole}{comma}{decimals.ljust(2, '0') if comma else ''}"
