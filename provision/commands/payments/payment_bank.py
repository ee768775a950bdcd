"""`paquet payment reconcile|match|return|refuse|park`: what the movements of the bank mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision.commands.payments.bank import movement_facts
from provision.commands.shared.changing import change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import number_type, typed, why_option
from provision.money import euros
from provision.subscriptions.documents import numbering, open_items
from provision.subscriptions.parties import organisations
from provision.subscriptions.payments import (
    answers,
    awaited_money,
    batches,
    booking,
    movements,
    paying,
    returns,
)
from provision.subscriptions.payments.returns import CameBack
from provision.subscriptions.settling import settlements, transfers
from provision.workflows import reconciling

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.subscriptions.payments.models import BankMovement
    from provision.workflows.reconciling import BookedMovement, Seen


@click.command()
@click.argument("organisation")
@click.option("--accept-certain", is_flag=True, help="Book what is certain, and only that.")
@change_options
@pass_context
def reconcile(context: Context, *, organisation: str, accept_certain: bool, how: How) -> None:
    """Show the movements of ORGANISATION's bank that are not explained, and what each may be.

    Nothing is booked unless --accept-certain is given; the rest is for `payment match`.
    """
    if not accept_certain:
        with context.reading() as session:
            owner = organisations.get(session, organisation)
            rows = [_seen_row(seen) for seen in reconciling.propose(session, owner)]
        context.show(rows, as_json=how.as_json)
        return
    control = context.control()
    today, told = control.today(), control.told()

    def work(session: Session) -> list[Facts]:
        owner = organisations.get(session, organisation)
        outcomes = reconciling.accept_certain(session, owner, today, told)
        return [_outcome_row(outcome) for outcome in outcomes]

    change(context, work, how, question="Book these?", nothing="Nothing is certain.")


@dataclass(frozen=True)
class Explained:
    """What a movement of the bank pays, and the debits of it that the bank refused."""

    organisation: str
    movement: int
    references: tuple[str, ...]
    without: tuple[str, ...]


@click.command()
@click.argument("organisation")
@click.argument("movement", type=number_type)
@click.argument("references", nargs=-1, required=True)
@click.option("--without", multiple=True, metavar="DEBIT", help="A debit that the bank refused.")
@typed(Explained, "said")
@change_options
@pass_context
def match(context: Context, said: Explained, how: How) -> None:
    """Say that MOVEMENT pays the invoices REFERENCES, in this order.

    Or else the batch of that name, or the debit, or the settlement (1-2-3: seller, beneficiary,
    number). What is left over stays as the customer's credit. Cheques and receipts that wait for
    the bank (see awaited) are named all together: their sum is the movement.
    """
    today = context.today

    def work(session: Session) -> list[Facts]:
        owner = organisations.get(session, said.organisation)
        row = movements.get(session, owner.id, said.movement)
        return _matched(session, row, said, today)

    change(context, work, how)


def _matched(session: Session, row: BankMovement, said: Explained, today: date) -> list[Facts]:
    """Book a movement as what it is said to pay."""
    references, alone = said.references, len(said.references) == 1
    if awaited_money.names(session, row.organisation_id, references):
        shown = awaited_money.bank(session, row, references, today)
        return [{"banked": amount.shown, "amount": euros(amount.units)} for amount in shown]
    if alone and settlements.SHOWN.fullmatch(references[0]):
        transfers.book(session, row, references[0], today)
        return [{"settlement": references[0], "paid": euros(abs(row.units))}]
    if alone and not numbering.SHOWN.fullmatch(references[0].upper()):
        paid = batches.credit_batch(session, row, references[0], today, said.without)
        return [{"batch": references[0], "debits_paid": paid}]
    documents = [
        open_items.find(session, row.organisation_id, reference) for reference in references
    ]
    parts = paying.pay(session, row, documents, today)
    return [{"invoice": document.shown, "paid": euros(units)} for document, units in parts]


@dataclass(frozen=True)
class DebitTakenBack:
    """The debits that a movement of the bank took back, and its code for why."""

    organisation: str
    movement: int
    debits: tuple[str, ...]
    reason: str


@click.command(name="return")
@click.argument("organisation")
@click.argument("movement", type=number_type)
@click.argument("debits", nargs=-1, required=True)
@click.option("--reason", default="", help="The bank's code, such as MD06.")
@typed(DebitTakenBack, "said")
@change_options
@pass_context
def take_back(context: Context, said: DebitTakenBack, how: How) -> None:
    """Say that MOVEMENT took DEBITS back (F2026-1-1); what it took beyond is the bank's fee.

    Every invoice that a debit paid is open again.
    """
    control = context.control()
    when = (control.today(), control.told())

    def work(session: Session) -> list[Facts]:
        owner = organisations.get(session, said.organisation)
        row = movements.get(session, owner.id, said.movement)
        paid = answers.by_debit(answers.paid(session, owner.id))
        debits = [
            CameBack(name, sum(item.units for item in paid.get(name, ())), said.reason)
            for name in said.debits
        ]
        fee = returns.take_back(session, row, debits, when)
        return [{"movement": row.id, "fee": euros(fee)}]

    change(context, work, how)


@click.command()
@click.argument("organisation")
@click.argument("debit")
@why_option
@change_options
@pass_context
def refuse(context: Context, *, organisation: str, debit: str, why: str, how: How) -> None:
    """Say that the bank will never pay DEBIT: its invoices can be collected again."""
    today = context.today

    def work(session: Session) -> Facts:
        owner = organisations.get(session, organisation)
        answers.refuse(session, owner.id, debit, (today, why))
        return {"debit": debit, "refused": why}

    change(context, work, how)


@dataclass(frozen=True)
class Aside:
    """Movements of the bank that pay no document, or none that is known yet."""

    organisation: str
    movements: tuple[int, ...]
    fee: bool
    why: str


@click.command()
@click.argument("organisation")
@click.argument("movements", type=number_type, nargs=-1, required=True)
@click.option("--fee", is_flag=True, help="It is a fee of the bank: nothing is to be explained.")
@why_option
@typed(Aside, "said")
@change_options
@pass_context
def park(context: Context, said: Aside, how: How) -> None:
    """Put MOVEMENTS aside (account 471) until somebody can explain them, or book them as a --fee.

    All of them, for one reason, or none.
    """
    today = context.today

    def work(session: Session) -> list[Facts]:
        owner = organisations.get(session, said.organisation)
        rows = [movements.get(session, owner.id, number) for number in said.movements]
        book = booking.fee if said.fee else booking.park
        return [{"movement": row.id, "entry": book(session, row, said.why, today)} for row in rows]

    change(context, work, how)


def _seen_row(seen: Seen) -> Facts:
    proposal = seen.proposal
    return {
        **movement_facts(seen.row),
        "parked": seen.parked,
        "certainty": proposal.certainty if proposal else "",
        "may_be": " ".join(each.reference for each in proposal.expected) if proposal else "",
        "why": proposal.why if proposal else "Nothing that is expected resembles it",
    }


def _outcome_row(outcome: BookedMovement) -> Facts:
    return {**_seen_row(outcome.seen), "booked": not outcome.refused, "refused": outcome.refused}
