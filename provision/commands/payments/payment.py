"""`paquet payment`: what was collected, and what may be done with what the bank says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.payments import (
    payment_accounts,
    payment_bank,
    payment_cash,
    payment_out,
)
from provision.commands.shared.context import pass_context
from provision.commands.shared.imported import Imported, Waiting
from provision.commands.shared.words import json_option
from provision.money import euros
from provision.subscriptions.parties import organisations
from provision.subscriptions.payments import answers, collected

if TYPE_CHECKING:
    from provision.commands.shared.context import Context

COLLECT = "Collect the open invoices of ORGANISATION that are due on a day, under usable mandates."


@click.group(cls=Imported, waiting={"collect": Waiting("payments.payment_collect", COLLECT)})
def payment() -> None:
    """Collect what is owed, and book what the bank says."""


@payment.command(name="list")
@click.argument("organisation")
@json_option
@pass_context
def list_all(context: Context, organisation: str, *, as_json: bool) -> None:
    """Show the collections of ORGANISATION, and the debits that wait for the bank's answer."""
    with context.reading() as session:
        owner = organisations.get(session, organisation)
        made = [
            {"collection": one.number, "key": one.key, "on": one.collect_on.isoformat()}
            for one in collected.everyone(session, owner.id)
        ]
        waiting = [
            {
                "message": message_id,
                "collection": items[0].collection,
                "debits_waiting": len(answers.by_debit(items)),
                "amount_waiting": euros(sum(item.units for item in items)),
                "first": items[0].reference,
            }
            for message_id, items in answers.running(session, owner.id).items()
        ]
    context.show({"collections": made, "waiting": waiting}, as_json=as_json)


for command in (
    payment_accounts.list_accounts,
    payment_bank.reconcile,
    payment_bank.match,
    payment_bank.take_back,
    payment_bank.refuse,
    payment_bank.park,
    payment_cash.record,
    payment_cash.awaited,
    payment_cash.remit,
    payment_cash.take_back,
    payment_out.refund,
    payment_out.write_off,
):
    payment.add_command(command)
