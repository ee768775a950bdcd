"""`paquet payment accounts`: what each customer owes, what is owed to them, and what to do."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

import click

from provision.commands.shared.context import pass_context
from provision.commands.shared.words import json_option
from provision.money import euros
from provision.subscriptions.parties import organisations
from provision.subscriptions.payments import accounts

if TYPE_CHECKING:
    from provision.commands.shared.context import Context
    from provision.subscriptions.payments.accounts import CustomerAccount


@click.command(name="accounts")
@click.argument("organisation")
@json_option
@pass_context
def list_accounts(context: Context, organisation: str, *, as_json: bool) -> None:
    """Show who owes ORGANISATION, and whom it owes: one sum a customer, and the next command."""
    with context.reading() as session:
        owner = organisations.get(session, organisation)
        rows = [
            {
                "customer": account.customer or account.organisation or "(erased)",
                "owes": euros(account.owes),
                "credit_notes": euros(account.notes),
                "paid_too_much": euros(account.credit),
                "balance": euros(account.balance),
                "next": _next(owner.name, account),
            }
            for account in accounts.everyone(session, owner.id)
        ]
    context.show(rows, as_json=as_json, nothing="Nothing is open with anybody.")


def _next(name: str, account: CustomerAccount) -> str:
    """Return the command that settles it, or the first step towards that."""
    if account.organisation:
        return "paquet settlement list"
    owner = quote(name)
    if account.credit > 0 and account.invoice:
        return f"paquet payment record {owner} {account.invoice} --from-credit"
    if account.credit > 0:
        return f"paquet payment refund {owner} MOVEMENT --credit-of {account.customer}"
    if account.note:
        return f"paquet payment refund {owner} MOVEMENT {account.note}"
    if account.mandated:
        return f"paquet payment collect {owner} --on DAY --to FOLDER"
    return f"paquet dunning run {owner} --to FOLDER"
