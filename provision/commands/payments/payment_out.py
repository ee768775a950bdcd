"""`paquet payment refund|write-off`: what is paid back, and what will never be paid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision.commands.shared.changing import change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import number_type, typed, who_type, why_option
from provision.errors import UsageRefused
from provision.money import euros
from provision.subscriptions.documents import open_items
from provision.subscriptions.parties import organisations, people, profiles
from provision.subscriptions.payments import losses, movements, paying

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts


@dataclass(frozen=True)
class PaidBack:
    """What a movement of the bank paid back: a credit note, or a customer's credit."""

    organisation: str
    movement: int
    note: str | None
    credit_of: str | None


@click.command()
@click.argument("organisation")
@click.argument("movement", type=number_type)
@click.argument("note", required=False)
@click.option("--credit-of", type=who_type, help="Pay back what this customer paid too much.")
@typed(PaidBack, "said")
@change_options
@pass_context
def refund(context: Context, said: PaidBack, how: How) -> None:
    """Say that MOVEMENT paid the credit note NOTE back, or what was paid too much."""
    note, who, today = said.note, said.credit_of, context.today
    if bool(note) == bool(who):
        raise UsageRefused("What was paid back?", "Name a credit note, or give --credit-of.")

    def work(session: Session) -> list[Facts]:
        owner = organisations.get(session, said.organisation)
        row = movements.get(session, owner.id, said.movement)
        if who:
            party = people.reference_named(session, who)
            units = paying.refund_credit(session, row, party, today)
        else:
            units = paying.refund(
                session, row, open_items.find(session, owner.id, str(note)), today
            )
        return [{"movement": row.id, "paid_back": euros(units)}]

    change(context, work, how)


@dataclass(frozen=True)
class GivenUp:
    """An invoice that will never be paid, and what its customer was told."""

    organisation: str
    invoice: str
    duplicate_sent: bool
    why: str


@click.command(name="write-off")
@click.argument("organisation")
@click.argument("invoice")
@click.option("--duplicate-sent", is_flag=True, help="A duplicate says that it stays unpaid.")
@why_option
@typed(GivenUp, "said")
@change_options
@pass_context
def write_off(context: Context, said: GivenUp, how: How) -> None:
    """Give INVOICE up as a loss: what is open on it will never be paid.

    VAT comes back when it was never owed (it is owed on payment), or when a duplicate of the
    invoice was sent that says that it stays unpaid (CGI article 272-1).
    """
    today, sent = context.today, said.duplicate_sent

    def work(session: Session) -> list[Facts]:
        owner = organisations.get(session, said.organisation)
        document = open_items.find(session, owner.id, said.invoice)
        profile = profiles.needed(session, owner, today)
        loss = losses.loss_of(document, profile, duplicate_sent=sent)
        losses.write_off(session, document, loss, (today, said.why))
        facts = {
            "invoice": document.shown,
            "lost": euros(loss.units),
            "vat_back": euros(loss.vat_back),
        }
        return [facts]

    change(context, work, how, question=f"Give up what is open on {said.invoice}?")
