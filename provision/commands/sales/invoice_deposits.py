"""`paquet invoice deposit|deposits`: ask for money in advance, and see what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision import money
from provision.commands.shared.asking import ask_again
from provision.commands.shared.changing import change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.papers import document_facts
from provision.commands.shared.words import again_option, json_option, number_type, typed
from provision.subscriptions.parties import organisations
from provision.subscriptions.selling import deposits, opening

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts


@dataclass(frozen=True)
class DepositAsked:
    """What is asked for in advance, as it is typed."""

    subscription: int
    amount: str
    why: str
    again: bool


@click.command()
@click.argument("subscription", type=number_type)
@click.option("--amount", required=True, help="What the subscriber pays, VAT included.")
@click.option("--why", default="", help="The subscriber reads it on the invoice.")
@again_option
@typed(DepositAsked, "wanted")
@change_options
@pass_context
def deposit(context: Context, wanted: DepositAsked, how: How) -> None:
    """Issue a deposit invoice for what will be sold under SUBSCRIPTION.

    What is paid of it is deducted from the invoices that follow. What is left when the
    subscription ends is given back.
    """
    today = context.today
    units = money.parse(wanted.amount).units
    if not (wanted.again or how.dry_run):
        with context.reading() as session:
            subscription = opening.get(session, wanted.subscription)
            there = deposits.same_of(session, subscription, units, today)
        if there is not None:
            ask_again(f"The same deposit was asked for already: {there.shown} of {today}")

    def work(session: Session) -> Facts:
        subscription = opening.get(session, wanted.subscription)
        number = deposits.issue(session, subscription, units, wanted.why, today)
        return {"subscription": subscription.id, "documents": document_facts(session, [number])}

    change(context, work, how)


@click.command(name="deposits")
@json_option
@pass_context
def list_deposits(context: Context, *, as_json: bool) -> None:
    """Show deposits: what was paid and deducted of each, and what can still be deducted."""
    with context.reading() as session:
        names = {
            organisation.id: organisation.name for organisation in organisations.everyone(session)
        }
        rows: list[Facts] = [
            {
                "number": deposit.shown,
                "issued_by": names[deposit.organisation_id],
                "subscription": deposit.subscription_id,
                "issued": deposit.issued_on.isoformat(),
                "gross": deposit.gross,
                "paid": deposit.paid,
                "deducted": deposit.deducted,
                "left": deposit.left,
                "credited": deposit.is_credited,
            }
            for deposit in deposits.everything(session)
        ]
    context.show(rows, as_json=as_json)
