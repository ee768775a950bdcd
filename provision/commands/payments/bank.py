"""`paquet statement`: what the bank says, each statement once and in order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision import money as exact
from provision.commands.shared.context import (
    dry_run_option,
    json_option,
    number_type,
    pass_context,
    show,
)
from provision.commands.shared.words import worded
from provision.errors import UsageRefused
from provision.formats.bank import mappings, reading
from provision.money import euros
from provision.subscriptions.parties import organisations
from provision.subscriptions.payments import movements, receiving
from provision.subscriptions.payments.receiving import Source

if TYPE_CHECKING:
    from provision.commands.shared.context import Context
    from provision.subscriptions.payments.models import BankMovement, BankStatement

file_type = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def statement() -> None:
    """Bring in what the bank says, and look at it."""


@statement.command(name="import")
@click.argument("organisation")
@click.argument("file", type=file_type)
@click.option("--csv", "mapping", type=file_type, help="How to read a CSV, as a TOML file.")
@dry_run_option
@json_option
@pass_context
def bring_in(context: Context, /, *, dry_run: bool, as_json: bool, **words: object) -> None:
    """Bring in FILE (camt.053, OFX, MT940, CFONB 120 or CSV) for the account of ORGANISATION.

    What is known already is passed over, and told movement by movement where a statement brings
    new ones too; a file with a wrong sum, another currency or account, or a gap before it is
    refused whole.
    """
    file, mapping = Path(str(words["file"])), words["mapping"]
    if file.stat().st_size > reading.MOST_BYTES:
        raise UsageRefused(f"{file} is larger than a bank statement", "Export a shorter period.")
    read = mappings.read(Path(str(mapping))) if mapping else None
    language = context.settings.operator.language
    with context.session() as session:
        owner = organisations.get(session, str(words["organisation"]))
        source = Source(file.read_bytes(), file.name, read)
        received = receiving.bring_in(session, owner, source, context.control().today())
        facts = [_facts(one) for one in received.new]
        if dry_run:
            session.rollback()
    show([worded(one, language, as_json=as_json) for one in facts], as_json=as_json)
    for one in received.overlap if not as_json else ():
        amount = exact.show(euros(one.units), language)
        click.echo(f"Known already: {one.booked_on} {amount} {one.counterparty or one.text}"[:120])
    if not as_json and received.known:
        click.echo(f"{received.known} of them were known already: nothing is there twice.")


@statement.command(name="list")
@click.argument("organisation")
@json_option
@pass_context
def list_all(context: Context, organisation: str, *, as_json: bool) -> None:
    """Show the statements of ORGANISATION, the latest first."""
    language = context.settings.operator.language
    with context.reading() as session:
        owner = organisations.get(session, organisation)
        rows = [_facts(one) for one in movements.statements(session, owner.id)]
    show([worded(row, language, as_json=as_json) for row in rows], as_json=as_json)


@statement.command(name="show")
@click.argument("organisation")
@click.argument("number", type=number_type)
@json_option
@pass_context
def show_one(context: Context, organisation: str, number: int, *, as_json: bool) -> None:
    """Show the movements of the statement NUMBER of ORGANISATION."""
    language = context.settings.operator.language
    with context.reading() as session:
        owner = organisations.get(session, organisation)
        rows = [movement_facts(one) for one in movements.of_statement(session, owner.id, number)]
    if not rows:
        raise UsageRefused(
            f"There is no movement on a statement {number}", "See: paquet statement list"
        )
    show([worded(row, language, as_json=as_json) for row in rows], as_json=as_json)


def movement_facts(row: BankMovement) -> dict[str, object]:
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


def _facts(one: BankStatement) -> dict[str, object]:
    return {
        "statement": one.id,
        "account": one.account,
        "number": one.number,
        "from": one.opened_on.isoformat(),
        "to": one.closed_on.isoformat(),
        "opening": euros(one.opening),
        "closing": euros(one.closing),
    }
