"""`paquet payment record|awaited|remit|unpaid`: cash, cheques, what the bank shows later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision import money
from provision.commands.shared.changing import change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.moments import moment_of
from provision.commands.shared.words import (
    before_option,
    json_option,
    number_type,
    on_option,
    typed,
)
from provision.errors import UsageRefused
from provision.money import euros
from provision.subscriptions.documents import open_items
from provision.subscriptions.ledger import chart
from provision.subscriptions.parties import organisations
from provision.subscriptions.payments import awaited_money, bounced, movements, paying
from provision.subscriptions.payments.paying import Cash, Cheque

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.money import Cents
    from provision.subscriptions.documents.open_items import OpenItem
    from provision.subscriptions.payments.awaited_money import AwaitedMoney


@dataclass(frozen=True)
class PaidByHand:
    """How an invoice was paid without the bank: by cash, by a cheque, or from a credit."""

    organisation: str
    invoice: str
    amount: str | None
    slip: str | None
    cheque: str | None
    on: date | None
    from_credit: bool


@click.command()
@click.argument("organisation")
@click.argument("invoice")
@click.argument("amount", required=False)
@click.option("--slip", help="The number of the slip that proves cash.")
@before_option("--receipt", "--slip")
@click.option("--cheque", help="The number of the cheque; it waits until the bank shows it.")
@on_option
@click.option("--from-credit", is_flag=True, help="Use what the customer paid too much.")
@typed(PaidByHand, "said")
@change_options
@pass_context
def record(context: Context, said: PaidByHand, how: How) -> None:
    """Write down that INVOICE was paid: AMOUNT in cash (--slip), by --cheque, or --from-credit."""
    ways = [way for way in (said.slip, said.cheque, said.from_credit) if way]
    if len(ways) != 1 or bool(said.amount) == said.from_credit:
        raise UsageRefused(
            "How was it paid?", "Give AMOUNT with --slip or with --cheque, or --from-credit."
        )
    today = context.today

    def work(session: Session) -> list[Facts]:
        owner = organisations.get(session, said.organisation)
        document = open_items.find(session, owner.id, said.invoice)
        return [{"invoice": document.shown, "paid": euros(_taken(session, document, said, today))}]

    change(context, work, how)


def _taken(session: Session, document: OpenItem, said: PaidByHand, today: date) -> Cents:
    """Write down how an invoice was paid, and return its cents."""
    if not said.amount:
        return paying.use_credit(session, document, today)
    units, day = money.parse(said.amount).units, said.on or today
    if said.cheque:
        return paying.take_cheque(session, document, Cheque(units, day, said.cheque), today)
    return paying.take_cash(session, document, Cash(units, day, str(said.slip)), today)


@click.command()
@click.argument("organisation")
@json_option
@pass_context
def awaited(context: Context, organisation: str, *, as_json: bool) -> None:
    """Show what ORGANISATION entered and the bank has not shown yet: cheques, fees, donations."""
    language = context.settings.operator.language
    with context.reading() as session:
        owner = organisations.get(session, organisation)
        amounts = awaited_money.everything(session, owner.id)
    rows = [{**_facts(amount), "on": chart.label(amount.account, language)} for amount in amounts]
    context.show(rows, as_json=as_json, nothing="Nothing is awaited.")


@dataclass(frozen=True)
class Remitted:
    """What went through the bank of an organisation, and when."""

    organisation: str
    what: tuple[str, ...]
    on: date | None


@click.command()
@click.argument("organisation")
@click.argument("what", nargs=-1, required=True)
@on_option
@typed(Remitted, "said")
@change_options
@pass_context
def remit(context: Context, said: Remitted, how: How) -> None:
    """Write that WHAT is awaited went through the bank of ORGANISATION, without statements.

    Cheques, for example: an organisation whose statements are imported matches the movement.
    """
    moment = moment_of(context, said.on)

    def work(session: Session) -> list[Facts]:
        owner = organisations.get(session, said.organisation)
        return [_facts(amount) for amount in awaited_money.remit(session, owner, said.what, moment)]

    change(context, work, how)


@dataclass(frozen=True)
class ChequeUnpaid:
    """A cheque that the bank refused, and the movement that took it back, where one did."""

    organisation: str
    cheque: str
    movement: int | None
    why: str


@click.command(name="unpaid")
@click.argument("organisation")
@click.argument("cheque")
@click.option("--movement", type=number_type, help="The movement of the bank that took it back.")
@click.option("--why", required=True, help="The reason, for the record; it names nobody.")
@typed(ChequeUnpaid, "said")
@change_options
@pass_context
def take_back(context: Context, said: ChequeUnpaid, how: How) -> None:
    """Take CHEQUE back from the invoice that it paid: the bank refused it, or it pays another one.

    The invoice is open again. What a movement took beyond the cheque is the bank's fee.
    """
    today = context.today

    def work(session: Session) -> Facts:
        owner = organisations.get(session, said.organisation)
        cheque = bounced.find(session, owner, said.cheque)
        row = movements.get(session, owner.id, said.movement) if said.movement else None
        fee = bounced.take_back(session, cheque, row, said.why, today)
        return {
            "cheque": cheque.reference,
            "invoice": cheque.invoice.shown,
            "amount": euros(cheque.units),
            "fee": euros(fee),
            "open": euros(open_items.of(session, cheque.invoice.number).units),
        }

    change(context, work, how)


def _facts(amount: AwaitedMoney) -> Facts:
    return {"what": amount.shown, "since": amount.since.isoformat(), "amount": euros(amount.units)}
