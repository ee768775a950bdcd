"""`paquet subscription cancel|keep|withdraw|credit`: what ends, and what is given back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision import money
from provision.commands.shared.changing import change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.papers import document_facts
from provision.commands.shared.words import day_type, number_type, typed
from provision.subscriptions.documents import numbering
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.parties import organisations
from provision.subscriptions.selling import cancelling, credit_notes, opening
from provision.subscriptions.selling.cancelling import Cancellation
from provision.subscriptions.selling.credit_notes import What

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts


@dataclass(frozen=True)
class SubscriptionEnded:
    """How a subscription ends, as it is typed."""

    number: int
    last_day: date | None
    reason: str
    way: str
    asked_on: date | None
    refund: bool


@click.command()
@click.argument("number", type=number_type)
@click.option("--last-day", type=day_type, help="Its last day; else today.")
@click.option("--reason", required=True, help="For the record.")
@click.option(
    "--how", "way", type=click.Choice(cancelling.WAYS), default="online", show_default=True
)
@click.option("--asked-on", type=day_type, help="When it was asked; else today.")
@click.option("--refund", is_flag=True, help="Give the billed days beyond back.")
@typed(SubscriptionEnded, "wanted")
@change_options
@pass_context
def cancel(context: Context, wanted: SubscriptionEnded, how: How) -> None:
    """End subscription NUMBER after a last day; what is billed beyond is refunded if you say so.

    It is refunded in any case when a yearly renewal was not announced in time (L215-1).
    """
    control = context.control()
    today = control.today()
    asked = Cancellation(
        last_day=wanted.last_day or today,
        reason=wanted.reason,
        asked_on=wanted.asked_on or today,
        how=wanted.way,
        refund=wanted.refund,
    )

    def work(session: Session) -> Facts:
        subscription = opening.get(session, wanted.number)
        numbers = cancelling.cancel(session, subscription, asked, on=today, told=control.told())
        return {
            "subscription": subscription.id,
            "last_day": asked.last_day.isoformat(),
            "asked_on": asked.asked_on.isoformat(),
            "confirmed_on": today.isoformat(),
            "documents": document_facts(session, numbers),
        }

    change(context, work, how)


@click.command()
@click.argument("number", type=number_type)
@change_options
@pass_context
def keep(context: Context, number: int, how: How) -> None:
    """Let the cancelled subscription NUMBER go on; what was refunded is charged again."""
    control = context.control()

    def work(session: Session) -> Facts:
        subscription = opening.get(session, number)
        numbers = cancelling.keep(session, subscription, on=control.today(), told=control.told())
        return {"subscription": subscription.id, "documents": document_facts(session, numbers)}

    change(context, work, how)


@click.command()
@click.argument("number", type=number_type)
@change_options
@pass_context
def withdraw(context: Context, number: int, how: How) -> None:
    """Let a consumer withdraw from subscription NUMBER in 14 days: all is credited."""
    control = context.control()

    def work(session: Session) -> Facts:
        subscription = opening.get(session, number)
        numbers = cancelling.withdraw(
            session, subscription, on=control.today(), told=control.told()
        )
        return {
            "subscription": subscription.id,
            "state": subscription.state,
            "documents": document_facts(session, numbers),
        }

    change(context, work, how)


@dataclass(frozen=True)
class TakenBack:
    """Which invoice is taken back, and how much of it."""

    organisation: str
    invoice: str
    amount: str | None
    lines: tuple[int, ...]
    reason: str


@click.command()
@click.argument("organisation")
@click.argument("invoice")
@click.option("--amount", help="So much, with VAT; else all that is left.")
@click.option("--line", "lines", type=number_type, multiple=True, help="Only these lines.")
@click.option("--reason", required=True, help="The subscriber reads it on the credit note.")
@typed(TakenBack, "wanted")
@change_options
@pass_context
def credit(context: Context, wanted: TakenBack, how: How) -> None:
    """Take INVOICE (F2026-000001) of ORGANISATION back, whole or in part, by a credit note."""
    today = context.today
    series, number = numbering.parse(wanted.invoice)
    what = What(money.parse(wanted.amount).units if wanted.amount else None, wanted.lines)

    def work(session: Session) -> Facts:
        issuer = organisations.get(session, wanted.organisation)
        credited = Number(issuer.id, series, number)
        credit_note = credit_notes.credit(session, credited, what, wanted.reason, today)
        return {"credited": credited.shown, "documents": document_facts(session, [credit_note])}

    change(context, work, how)
