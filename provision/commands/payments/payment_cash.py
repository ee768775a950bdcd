"""`paquet payment awaited|remit|unpaid`: cheques, and what else the bank has not shown yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.shared.changing import (
    change,
    change_options,
    day_of,
    on_option,
    show_amounts,
)
from provision.commands.shared.context import json_option, number_type, pass_context
from provision.money import euros
from provision.subscriptions.ledger import chart
from provision.subscriptions.ledger.journal import Moment
from provision.subscriptions.parties import organisations
from provision.subscriptions.payments import bounced, movements, owed, waiting

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import Facts, How
    from provision.commands.shared.context import Context
    from provision.subscriptions.payments.waiting import Waiting


@click.command()
@click.argument("organisation")
@json_option
@pass_context
def awaited(context: Context, organisation: str, *, as_json: bool) -> None:
    """Show what ORGANISATION entered and the bank has not shown yet: cheques, fees, donations."""
    language = context.settings.operator.language
    with context.reading() as session:
        owner = organisations.get(session, organisation)
        found = waiting.everything(session, owner.id)
    rows = [{**_facts(one), "on": chart.label(one.account, language)} for one in found]
    show_amounts(context, rows, as_json=as_json)
    if not rows and not as_json:
        click.echo("Nothing is awaited.")


@click.command()
@click.argument("organisation")
@click.argument("what", nargs=-1, required=True)
@on_option
@change_options
@pass_context
def remit(context: Context, /, *, on: datetime | None, how: How, **words: object) -> None:
    """Write that WHAT is awaited went through the bank of ORGANISATION, without statements.

    Cheques, for example: an organisation whose statements are imported matches the movement.
    """
    today = context.control().today()
    what: tuple[str, ...] = words["what"]  # type: ignore[assignment]

    def work(session: Session) -> list[Facts]:
        owner = organisations.get(session, str(words["organisation"]))
        moment = Moment(day_of(on, today), today)
        return [_facts(one) for one in waiting.remit(session, owner, what, moment)]

    change(context, work, how)


@click.command(name="unpaid")
@click.argument("organisation")
@click.argument("cheque")
@click.option("--movement", type=number_type, help="The movement of the bank that took it back.")
@click.option("--why", required=True, help="The reason, for the record; it names nobody.")
@change_options
@pass_context
def take_back(context: Context, /, *, movement: int | None, how: How, **words: str) -> None:
    """Take CHEQUE back from the invoice that it paid: the bank refused it, or it pays another one.

    The invoice is open again. What a movement took beyond the cheque is the bank's fee.
    """
    today = context.control().today()

    def work(session: Session) -> Facts:
        owner = organisations.get(session, words["organisation"])
        cheque = bounced.find(session, owner, words["cheque"])
        row = None if movement is None else movements.get(session, owner.id, movement)
        fee = bounced.take_back(session, cheque, row, words["why"], today)
        return {
            "cheque": cheque.reference,
            "invoice": cheque.invoice.shown,
            "amount": euros(cheque.units),
            "fee": euros(fee),
            "open": euros(owed.of(session, cheque.invoice.number).units),
        }

    change(context, work, how)


def _facts(one: Waiting) -> Facts:
    return {"what": one.shown, "since": one.since.isoformat(), "amount": euros(one.units)}
