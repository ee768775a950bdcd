"""`paquet dunning`: who has not paid, what happens next, and who is left in peace."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision.commands.shared import progress
from provision.commands.shared.context import (
    PROBLEMS_FOUND,
    ask,
    json_option,
    pass_context,
    show,
    yes_option,
)
from provision.commands.shared.words import day_type, worded
from provision.errors import UsageRefused
from provision.money import euros
from provision.shipped import share
from provision.subscriptions.documents import numbering
from provision.subscriptions.dunning import pauses, policy, reminders
from provision.subscriptions.parties import organisations, people
from provision.workflows import dunning as workflow
from provision.workflows import reminding

if TYPE_CHECKING:
    from datetime import date, datetime

    from provision.commands.shared.context import Context
    from provision.subscriptions.dunning.policy import Policy
    from provision.subscriptions.payments.models import DunningPause, DunningStep
    from provision.workflows.reminding import Due

file_type = click.Path(exists=True, dir_okay=False, path_type=Path)
folder_type = click.Path(file_okay=False, path_type=Path)
on_option = click.option("--on", type=day_type, help="The day; else today.")
policy_option = click.option(
    "--policy",
    "file",
    type=file_type,
    help="Your steps (see templates/money/dunning.example.toml).",
)


@click.group()
def dunning() -> None:
    """Remind those who have not paid, step by step, and never without saying so."""


@dunning.command()
@click.argument("organisation")
@on_option
@policy_option
@json_option
@pass_context
def due(
    context: Context,
    organisation: str,
    on: datetime | None,
    file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Show which invoices of ORGANISATION reach which step; nothing is written."""
    control = context.control()
    day = on.date() if on else control.today()
    found = reminding.due(control, organisation, _rules(file), day)
    show(_due_rows(found, context.settings.operator.language, as_json=as_json), as_json=as_json)


@dunning.command()
@click.argument("organisation")
@click.option("--to", "folder", type=folder_type, required=True, help="Where letters go.")
@on_option
@policy_option
@yes_option
@json_option
@pass_context
def run(context: Context, /, *, yes: bool, as_json: bool, **words: object) -> None:
    """Take the steps of a day: letters, suspensions, and bundles that were paid opened again.

    Exit code 5 when something could not be done; the same command tries it again.
    """
    on: datetime | None = words["on"]  # type: ignore[assignment]
    rules = _rules(words["file"])  # type: ignore[arg-type]
    name, folder = str(words["organisation"]), Path(str(words["folder"]))
    today = context.control().today()
    day = on.date() if on else today
    if day > today:
        raise UsageRefused(f"{day} is not yet", "Look at that day: paquet dunning due --on DAY")
    if not yes:
        found = reminding.due(context.control(), name, rules, day)
        show(_due_rows(found, context.settings.operator.language, as_json=False), as_json=False)
        ask("Take these steps?")
    with progress.steps(quiet=as_json) as tell:
        campaign = workflow.Campaign(name, rules, day, folder)
        done = workflow.run(context.control(tell), campaign)
    rows = [{"what": one.what, "step": one.step, "refused": one.refused} for one in done]
    show(rows, as_json=as_json)
    if any(one.refused for one in done):
        sys.exit(PROBLEMS_FOUND)


@dunning.command()
@click.argument("organisation")
@click.argument("email")
@click.option("--from", "first_day", type=day_type, help="Its first day; else today.")
@click.option("--to", "last_day", type=day_type, help="Its last day; else until resumed.")
@click.option("--why", required=True, help="The reason, for the record.")
@json_option
@pass_context
def pause(context: Context, /, *, as_json: bool, **words: object) -> None:
    """Leave the subscriber EMAIL in peace for some days."""
    control = context.control()
    first: datetime | None = words["first_day"]  # type: ignore[assignment]
    last: datetime | None = words["last_day"]  # type: ignore[assignment]
    with context.session() as session:
        owner = organisations.get(session, str(words["organisation"]))
        subscriber = people.subscriber_named(session, str(words["email"]))
        days = (first.date() if first else control.today(), last.date() if last else None)
        when = (control.today(), control.told(str(words["why"])))
        facts = _pause_facts(pauses.pause(session, owner, subscriber, days, when), None)
    show(facts, as_json=as_json)


@dunning.command()
@click.argument("organisation")
@click.argument("email")
@click.option("--why", default="", help="The reason, for the record.")
@json_option
@pass_context
def resume(context: Context, organisation: str, email: str, why: str, *, as_json: bool) -> None:
    """End the pauses of the subscriber EMAIL today."""
    control = context.control()
    with context.session() as session:
        owner, subscriber = (
            organisations.get(session, organisation),
            people.subscriber_named(session, email),
        )
        ended = pauses.resume(session, owner, subscriber, control.today(), control.told(why))
    show({"subscriber": email, "pauses_ended": ended}, as_json=as_json)


@dunning.command()
@click.argument("organisation")
@click.argument("email")
@click.argument("what", type=click.Choice(pauses.MARKS))
@click.option("--why", required=True, help="The reason, for the record.")
@json_option
@pass_context
def mark(context: Context, /, *, as_json: bool, **words: str) -> None:
    """Say what is known of the subscriber EMAIL: hardship (friendly words only), fraud, or none.

    A fraud is for a person to judge: see `paquet bundle suspend`.
    """
    control = context.control()
    with context.session() as session:
        owner = organisations.get(session, words["organisation"])
        subscriber = people.subscriber_named(session, words["email"])
        when = (control.today(), control.told(words["why"]))
        pauses.mark(session, owner, subscriber, words["what"], when)
    show({"subscriber": words["email"], "mark": words["what"]}, as_json=as_json)


@dunning.command(name="list")
@click.argument("organisation")
@json_option
@pass_context
def list_all(context: Context, organisation: str, *, as_json: bool) -> None:
    """Show the steps that invoices of ORGANISATION reached, and the pauses."""
    with context.reading() as session:
        owner = organisations.get(session, organisation)
        steps = [_step_facts(one) for one in reminders.everything(session, owner.id)]
        held = [_pause_facts(*one) for one in pauses.everyone(session, owner.id)]
    if as_json:
        show({"steps": steps, "pauses": held}, as_json=True)
    else:
        show(steps, as_json=False)
        show(held, as_json=False)


def _rules(file: Path | None) -> Policy:
    return policy.read(file or share("templates") / "money/dunning.example.toml")


def _due_rows(found: Due, language: str, *, as_json: bool) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = [
        {
            "what": one.owed.shown,
            "step": one.step,
            "since": one.day.isoformat(),
            "who": one.person.email if one.person else "",
            "open": euros(one.owed.units),
            "held": one.held,
        }
        for one in found.reminders
    ]
    rows += [
        {"what": domain, "step": policy.RESUMED, "since": "", "who": "", "open": "", "held": ""}
        for _settled, domain in found.reopened
    ]
    return [worded(row, language, as_json=as_json) for row in rows]


def _step_facts(one: DunningStep) -> dict[str, object]:
    return {
        "invoice": numbering.shown(one.series, one.number),
        "step": one.step,
        "on": one.reached_on.isoformat(),
        "by": one.actor,
    }


def _pause_facts(one: DunningPause, resumed: date | None) -> dict[str, object]:
    return {
        "subscriber": one.subscriber_id,
        "from": one.first_day.isoformat(),
        "to": one.last_day and one.last_day.isoformat(),
        "resumed": resumed and resumed.isoformat(),
        "reason": one.reason,
        "by": one.actor,
    }
