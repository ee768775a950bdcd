"""`paquet dunning`: who has not paid, what happens next, and who is left in peace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision.commands.shared.changing import change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.imported import Imported, Waiting
from provision.commands.shared.words import (
    day_type,
    file_type,
    json_option,
    on_option,
    typed,
    who_type,
    why_option,
)
from provision.money import euros
from provision.subscriptions.documents import numbering
from provision.subscriptions.dunning import pauses, policy, reminders
from provision.subscriptions.parties import organisations, people
from provision.workflows import dunning as steps
from provision.workflows import reminding

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.subscriptions.dunning.policy import Policy
    from provision.subscriptions.dunning.reminders import Reminder
    from provision.subscriptions.payments.models import DunningPause, DunningStep

RUN = "Take the steps of a day: letters, suspensions, and bundles that were paid opened again."
policy_option = click.option(
    "--policy",
    "file",
    type=file_type,
    help="Your steps (see templates/money/dunning.example.toml).",
)


@click.group(cls=Imported, waiting={"run": Waiting("payments.dunning_run", RUN)})
def dunning() -> None:
    """Remind those who have not paid, step by step, and never without saying so."""


@dunning.command()
@click.argument("organisation")
@on_option
@policy_option
@json_option
@pass_context
def due(
    context: Context, *, organisation: str, on: date | None, file: Path | None, as_json: bool
) -> None:
    """Show which invoices of ORGANISATION reach which step; nothing is written."""
    rows = due_rows(context, organisation, steps.rules(file), on or context.today)
    context.show(rows, as_json=as_json)


@dataclass(frozen=True)
class Spared:
    """A subscriber who is left in peace, from when to when, and why."""

    organisation: str
    who: str
    first_day: date | None
    last_day: date | None
    why: str


@dunning.command()
@click.argument("organisation")
@click.argument("who", type=who_type)
@click.option("--from", "first_day", type=day_type, help="Its first day; else today.")
@click.option("--to", "last_day", type=day_type, help="Its last day; else until resumed.")
@why_option
@typed(Spared, "spared")
@change_options
@pass_context
def pause(context: Context, spared: Spared, how: How) -> None:
    """Leave the subscriber WHO in peace for some days."""
    control = context.control()
    when = (control.today(), control.told(spared.why))
    days = (spared.first_day or control.today(), spared.last_day)

    def work(session: Session) -> Facts:
        owner = organisations.get(session, spared.organisation)
        subscriber = people.subscriber_named(session, spared.who)
        return _pause_facts(pauses.pause(session, owner, subscriber, days, when), None)

    change(context, work, how)


@dunning.command()
@click.argument("organisation")
@click.argument("who", type=who_type)
@click.option("--why", default="", help="The reason, for the record.")
@change_options
@pass_context
def resume(context: Context, *, organisation: str, who: str, why: str, how: How) -> None:
    """End the pauses of the subscriber WHO today."""
    control = context.control()
    today, told = control.today(), control.told(why)

    def work(session: Session) -> Facts:
        owner = organisations.get(session, organisation)
        subscriber = people.subscriber_named(session, who)
        ended = pauses.resume(session, owner, subscriber, today, told)
        return {"subscriber": who, "pauses_ended": ended}

    change(context, work, how)


@dataclass(frozen=True)
class Marked:
    """What is known of a subscriber who does not pay."""

    organisation: str
    who: str
    what: str
    why: str


@dunning.command()
@click.argument("organisation")
@click.argument("who", type=who_type)
@click.argument("what", type=click.Choice(pauses.MARKS))
@why_option
@typed(Marked, "said")
@change_options
@pass_context
def mark(context: Context, said: Marked, how: How) -> None:
    """Say what is known of the subscriber WHO: hardship (friendly words only), fraud, or none.

    A fraud is for a person to judge: see `paquet bundle suspend`.
    """
    control = context.control()
    when = (control.today(), control.told(said.why))

    def work(session: Session) -> Facts:
        owner = organisations.get(session, said.organisation)
        subscriber = people.subscriber_named(session, said.who)
        pauses.mark(session, owner, subscriber, said.what, when)
        return {"subscriber": said.who, "mark": said.what}

    change(context, work, how)


@dunning.command(name="list")
@click.argument("organisation")
@json_option
@pass_context
def list_all(context: Context, organisation: str, *, as_json: bool) -> None:
    """Show the steps that invoices of ORGANISATION reached, and the pauses."""
    with context.reading() as session:
        owner = organisations.get(session, organisation)
        steps = [_step_facts(step) for step in reminders.everything(session, owner.id)]
        held = [
            _pause_facts(pause, resumed) for pause, resumed in pauses.everyone(session, owner.id)
        ]
    context.show({"steps": steps, "pauses": held}, as_json=as_json)


def due_rows(context: Context, organisation: str, rules: Policy, day: date) -> list[Facts]:
    """Return what a day brings, as rows: reminders, and bundles that open again."""
    day_of_reminders = reminding.due(context.control(), organisation, rules, day)
    rows: list[Facts] = [
        {
            "what": reminder.document.shown,
            "step": reminder.step,
            "since": reminder.day.isoformat(),
            "who": _who(reminder),
            "open": euros(reminder.document.units),
            "held": reminder.held,
        }
        for reminder in day_of_reminders.reminders
    ]
    rows += [
        {"what": domain, "step": policy.RESUMED, "since": "", "who": "", "open": "", "held": ""}
        for _settled, domain in day_of_reminders.reopened
    ]
    return rows


def _who(reminder: Reminder) -> str:
    """Return how commands name who is reminded; '' once erased."""
    if reminder.person is None:
        return ""
    return reminder.person.email or str(reminder.document.subscriber_id)


def _step_facts(step: DunningStep) -> Facts:
    return {
        "invoice": numbering.shown(step.series, step.number),
        "step": step.step,
        "on": step.reached_on.isoformat(),
        "by": step.actor,
    }


def _pause_facts(pause: DunningPause, resumed: date | None) -> Facts:
    return {
        "subscriber": pause.subscriber_id,
        "from": pause.first_day.isoformat(),
        "to": pause.last_day and pause.last_day.isoformat(),
        "resumed": resumed and resumed.isoformat(),
        "reason": pause.reason,
        "by": pause.actor,
    }
