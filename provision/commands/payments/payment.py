"""`paquet payment`: what was collected, and what may be done with what the bank says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.shared.context import pass_context
from provision.commands.shared.imported import Imported, Waiting
from provision.commands.shared.words import json_option
from provision.money import euros
from provision.subscriptions.parties import organisations
from provision.subscriptions.payments import answers, collection_rows

if TYPE_CHECKING:
    from provision.commands.shared.context import Context

BANK, CASH, OUT = "payments.payment_bank", "payments.payment_cash", "payments.payment_out"
PAYOUTS = "payments.payment_payouts"
WAITING = {
    "accounts": Waiting(
        "payments.payment_accounts",
        "Show who owes ORGANISATION, and whom it owes: one sum a customer, and the next command.",
    ),
    "collect": Waiting(
        "payments.payment_collect",
        "Collect the open invoices of ORGANISATION that are due on a day, under usable mandates.",
    ),
    "reconcile": Waiting(
        BANK,
        "Show the movements of ORGANISATION's bank that are not explained, and what each may be.",
    ),
    "match": Waiting(BANK, "Say that MOVEMENT pays the invoices REFERENCES, in this order."),
    "return": Waiting(
        BANK,
        "Say that MOVEMENT took DEBITS back (F2026-1-1); what it took beyond is the bank's fee.",
    ),
    "refuse": Waiting(
        BANK, "Say that the bank will never pay DEBIT: its invoices can be collected again."
    ),
    "park": Waiting(
        BANK,
        "Put MOVEMENTS aside (account 471) until somebody can explain them, or book them as a "
        "--fee.",
    ),
    "record": Waiting(
        CASH,
        "Write down that INVOICE was paid: AMOUNT in cash (--slip), by --cheque, or --from-credit.",
    ),
    "awaited": Waiting(
        CASH,
        "Show what ORGANISATION entered and the bank has not shown yet: cheques, fees, donations.",
    ),
    "remit": Waiting(
        CASH,
        "Write that WHAT is awaited went through the bank of ORGANISATION, without statements.",
    ),
    "unpaid": Waiting(
        CASH,
        "Take CHEQUE back from the invoice that it paid: the bank refused it, or it pays another "
        "one.",
    ),
    "payout": Waiting(
        PAYOUTS,
        "Bring in FILE, what a card provider paid out: each payment pays its invoice, less its "
        "fee.",
    ),
    "payouts": Waiting(
        PAYOUTS,
        "Show what providers paid out to ORGANISATION, what waits for the bank, what is parked.",
    ),
    "explain": Waiting(
        PAYOUTS,
        "Say that PAYMENT of a payout, which is parked, pays REFERENCES: invoices, or receipts.",
    ),
    "refund": Waiting(
        OUT, "Say that MOVEMENT paid the credit note NOTE back, or what was paid too much."
    ),
    "write-off": Waiting(OUT, "Give INVOICE up as a loss: what is open on it will never be paid."),
}


@click.group(cls=Imported, waiting=WAITING)
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
        collections = [
            {
                "collection": collection.number,
                "key": collection.key,
                "on": collection.collect_on.isoformat(),
            }
            for collection in collection_rows.everyone(session, owner.id)
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
    context.show({"collections": collections, "waiting": waiting}, as_json=as_json)
