"""`paquet invoice run|correct`: issue what is due, and issue again what named a wrong customer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision.commands.shared.changing import agreed, change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.papers import document_facts
from provision.commands.shared.words import day_type, name_type, typed
from provision.errors import PaquetError
from provision.jobs import money as money_runs
from provision.jobs import starting
from provision.money import euros
from provision.subscriptions.documents import numbering
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.parties import organisations
from provision.workflows import bill, correcting

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.subscriptions.selling.billing import BillingOutcome


@click.command()
@click.option("--on", type=day_type, help="The day of the documents; else today.")
@change_options
@pass_context
def run(context: Context, on: date | None, how: How) -> None:
    """Issue an invoice for every term that has begun, once.

    Every invariant of the ledger is checked before. A run that was interrupted is finished first,
    with the day on which it began. Where nothing is due, nothing is written.
    """
    control = context.control()
    day = on or control.today()
    if how.dry_run or not how.yes:
        planned = bill.preview(control, day)
        if not planned.writes:
            _tell(context, planned, how)
            return
        question = "Issue them? A document is never taken back, only credited."
        if not agreed(context, _run_facts(planned), how, question):
            _tell_left_out(planned)
            return
    done = starting.see_through(control, money_runs.billing(day))
    _tell(context, money_runs.read(done.fact), how)


@dataclass(frozen=True)
class WrongInvoice:
    """Which invoice of whom was wrong, and why."""

    number: str
    issuer: str
    reason: str


@click.command()
@click.argument("number")
@click.option("--by", "issuer", type=name_type, required=True, help="Who issued it.")
@click.option("--reason", default="", help="It stands on both; else that the customer was wrong.")
@typed(WrongInvoice, "wanted")
@change_options
@pass_context
def correct(context: Context, wanted: WrongInvoice, how: How) -> None:
    """Make the invoice NUMBER again for its customer as known today (paquet subscription identify).

    A credit note takes it back, a new invoice names it; what was paid counts for the new one.
    """
    today = context.today
    series, place = numbering.parse(wanted.number)

    def work(session: Session) -> Facts:
        wrong = Number(organisations.get(session, wanted.issuer).id, series, place)
        numbers = correcting.correct(session, wrong, wanted.reason, today)
        return {"corrected": wrong.shown, "documents": document_facts(session, numbers)}

    change(context, work, how)


def _tell(context: Context, outcome: BillingOutcome, how: How) -> None:
    if outcome.writes or outcome.left_out or how.as_json:
        context.show(_run_facts(outcome), as_json=how.as_json)
    else:
        click.echo("Nothing is due.")
    _tell_left_out(outcome)


def _tell_left_out(outcome: BillingOutcome) -> None:
    """End with a sentence for each subscription whose buyer abroad could not be billed."""
    if outcome.left_out:
        raise PaquetError(
            f"{len(outcome.left_out)} of the subscriptions could not be billed: who pays is abroad",
            "\n".join(
                f"Subscription {number}: {why.message}. {why.hint}"
                for number, why in sorted(outcome.left_out.items())
            ),
        )


def _run_facts(outcome: BillingOutcome) -> Facts:
    return {
        "days": ", ".join(day.isoformat() for day in outcome.days),
        "documents": outcome.documents,
        "subscriptions_ended": outcome.ended,
        "gross": euros(outcome.gross),
    }
