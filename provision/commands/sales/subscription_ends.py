"""`paquet subscription cancel|keep|withdraw|credit`: what ends, and what is given back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision import money
from provision.commands.sales.subscription_changes import get
from provision.commands.shared.words import day_type
from provision.commands.shared.context import (
    dry_run_option,
    json_option,
    number_type,
    pass_context,
    yes_option,
)
from provision.commands.shared.deciding import decide, document_facts, tell
from provision.subscriptions.documents import numbering
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.parties import organisations
from provision.subscriptions.selling import cancelling, credit_notes
from provision.subscriptions.selling.cancelling import Cancellation
from provision.subscriptions.selling.credit_notes import What

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from provision.commands.shared.context import Context


@click.command()
@click.argument("number", type=number_type)
@click.option("--last-day", type=day_type, help="Its last day; else today.")
@click.option("--reason", required=True, help="For the record.")
@click.option("--how", type=click.Choice(cancelling.WAYS), default="online", show_default=True)
@click.option("--asked-on", type=day_type, help="When it was asked; else today.")
@click.option("--refund", is_flag=True, help="Give the billed days beyond back.")
@yes_option
@dry_run_option
@json_option
@pass_context
def cancel(context: Context, /, **words: object) -> None:
    """End subscription NUMBER after a last day; what is billed beyond is refunded if you say so.

    It is refunded in any case when a yearly renewal was not announced in time (L215-1).
    """
    control = context.control()
    today = control.today()
    last_day: datetime | None = words["last_day"]  # type: ignore[assignment]
    asked_on: datetime | None = words["asked_on"]  # type: ignore[assignment]
    asked = Cancellation(
        last_day=last_day.date() if last_day else today,
        reason=str(words["reason"]),
        asked_on=asked_on.date() if asked_on else today,
        how=str(words["how"]),
        refund=bool(words["refund"]),
    )

    def work(session: Session) -> dict[str, object]:
        one = get(session, words["number"])
        numbers = cancelling.cancel(session, one, asked, on=today, told=control.told())
        return {
            "subscription": one.id,
            "last_day": asked.last_day.isoformat(),
            "asked_on": asked.asked_on.isoformat(),
            "confirmed_on": today.isoformat(),
            "documents": document_facts(session, numbers),
        }

    found = decide(context, work, dry_run=bool(words["dry_run"]), yes=bool(words["yes"]))
    tell(context, found, as_json=bool(words["as_json"]))


@click.command()
@click.argument("number", type=number_type)
@yes_option
@dry_run_option
@json_option
@pass_context
def keep(context: Context, number: int, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Let the cancelled subscription NUMBER go on; what was refunded is charged again."""
    control = context.control()

    def work(session: Session) -> dict[str, object]:
        one = get(session, number)
        numbers = cancelling.keep(session, one, on=control.today(), told=control.told())
        return {"subscription": one.id, "documents": document_facts(session, numbers)}

    tell(context, decide(context, work, dry_run=dry_run, yes=yes), as_json=as_json)


@click.command()
@click.argument("number", type=number_type)
@yes_option
@dry_run_option
@json_option
@pass_context
def withdraw(context: Context, number: int, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Let a consumer withdraw from subscription NUMBER in 14 days: all is credited."""
    control = context.control()

    def work(session: Session) -> dict[str, object]:
        one = get(session, number)
        numbers = cancelling.withdraw(session, one, on=control.today(), told=control.told())
        return {
            "subscription": one.id,
            "state": one.state,
            "documents": document_facts(session, numbers),
        }

    tell(context, decide(context, work, dry_run=dry_run, yes=yes), as_json=as_json)


@click.command()
@click.argument("organisation")
@click.argument("invoice")
@click.option("--amount", help="So much, with VAT; else all that is left.")
@click.option("--line", "lines", type=number_type, multiple=True, help="Only these lines.")
@click.option("--reason", required=True, help="The subscriber reads it on the credit note.")
@yes_option
@dry_run_option
@json_option
@pass_context
def credit(context: Context, /, **words: object) -> None:
    """Take INVOICE (F2026-000001) of ORGANISATION back, whole or in part, by a credit note."""
    today = context.control().today()
    series, number = numbering.parse(str(words["invoice"]))
    lines: tuple[int, ...] = words["lines"]  # type: ignore[assignment]
    what = What(money.parse(words["amount"]).units if words["amount"] else None, lines)

    def work(session: Session) -> dict[str, object]:
        issuer = organisations.get(session, str(words["organisation"]))
        credited = Number(issuer.id, series, number)
        made = credit_notes.credit(session, credited, what, str(words["reason"]), today)
        return {"credited": credited.shown, "documents": document_facts(session, [made])}

    found = decide(context, work, dry_run=bool(words["dry_run"]), yes=bool(words["yes"]))
    tell(context, found, as_json=bool(words["as_json"]))
