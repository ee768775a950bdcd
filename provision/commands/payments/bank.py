"""`paquet bank`: what the bank says, each statement once and in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.shared.context import pass_context
from provision.commands.shared.imported import Imported, Waiting
from provision.commands.shared.words import json_option, number_type
from provision.errors import UsageRefused
from provision.money import euros
from provision.subscriptions.parties import organisations
from provision.subscriptions.payments import movements

if TYPE_CHECKING:
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.subscriptions.payments.models import BankMovement, BankStatement

IMPORT = "Bring in FILE (camt.053, OFX, MT940, CFONB 120 or CSV) for the account of ORGANISATION."


@click.group(cls=Imported, waiting={"import": Waiting("payments.bank_import", IMPORT)})
def bank() -> None:
    """Bring in what the bank says, and look at it."""


@bank.command(name="list")
@click.argument("organisation")
@json_option
@pass_context
def list_all(context: Context, organisation: str, *, as_json: bool) -> None:
    """Show the statements of ORGANISATION, the latest first."""
    with context.reading() as session:
        owner = organisations.get(session, organisation)
        rows = [statement_facts(statement) for statement in movements.statements(session, owner.id)]
    context.show(rows, as_json=as_json)


@bank.command(name="show")
@click.argument("organisation")
@click.argument("number", type=number_type)
@json_option
@pass_context
def show_one(context: Context, organisation: str, number: int, *, as_json: bool) -> None:
    """Show the movements of the statement NUMBER of ORGANISATION."""
    with context.reading() as session:
        owner = organisations.get(session, organisation)
        rows = [
            movement_facts(movement)
            for movement in movements.of_statement(session, owner.id, number)
        ]
    if not rows:
        raise UsageRefused(f"There is no movement on a statement {number}", "See: paquet bank list")
    context.show(rows, as_json=as_json)


def movement_facts(row: BankMovement) -> Facts:
    """Return what a list shows of a movement."""
    said = movements.read(row)
    names = [said.counterparty, *(part.counterparty for part in said.details)]
    texts = [said.text, *(part.text for part in said.details)]
    return {
        "movement": row.id,
        "day": row.booked_on.isoformat(),
        "amount": euros(row.units),
        "with": next((name for name in names if name), ""),
        "text": next((text for text in texts if text), "")[:80],
        "reason": said.reason,
    }


def statement_facts(statement: BankStatement) -> Facts:
    """Return what a list shows of a statement."""
    return {
        "statement": statement.id,
        "account": statement.account,
        "number": statement.number,
        "from": statement.opened_on.isoformat(),
        "to": statement.closed_on.isoformat(),
        "opening": euros(statement.opening),
        "closing": euros(statement.closing),
    }
