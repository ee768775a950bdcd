"""`paquet bank import`: a file of the bank, checked whole before anything of it is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision import money
from provision.commands.payments.bank import statement_facts
from provision.commands.shared.changing import change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import file_type, typed
from provision.errors import UsageRefused
from provision.formats.bank import mappings, reading
from provision.subscriptions.parties import organisations
from provision.subscriptions.payments import receiving
from provision.subscriptions.payments.receiving import Source

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.subscriptions.payments.receiving import ImportedStatements


@dataclass(frozen=True)
class FromTheBank:
    """A file of the bank, whose account it is of, and how a CSV is read."""

    organisation: str
    file: Path
    mapping: Path | None

    def source(self) -> Source:
        """Return what the file holds. Raises UsageRefused where no statement is so large."""
        if self.file.stat().st_size > reading.MOST_BYTES:
            raise UsageRefused(
                f"{self.file} is larger than a bank statement", "Export a shorter period."
            )
        mapping = mappings.read(self.mapping) if self.mapping else None
        return Source(self.file.read_bytes(), self.file.name, mapping)


@click.command(name="import")
@click.argument("organisation")
@click.argument("file", type=file_type)
@click.option("--csv", "mapping", type=file_type, help="How to read a CSV, as a TOML file.")
@typed(FromTheBank, "brought")
@change_options
@pass_context
def bring_in(context: Context, brought: FromTheBank, how: How) -> None:
    """Bring in FILE (camt.053, OFX, MT940, CFONB 120 or CSV) for the account of ORGANISATION.

    What is known already is passed over, and told movement by movement where a statement brings
    new ones too; a file with a wrong sum, another currency or account, or a gap before it is
    refused whole.
    """
    source, today = brought.source(), context.today
    told: list[ImportedStatements] = []

    def work(session: Session) -> list[Facts]:
        owner = organisations.get(session, brought.organisation)
        told.append(receiving.bring_in(session, owner, source, today))
        return [statement_facts(statement) for statement in told[-1].new]

    change(context, work, how, question="Bring them in?", nothing="Nothing of it is new.")
    if not how.as_json:
        _tell_known(told[-1], context.settings.operator.language)


def _tell_known(received: ImportedStatements, language: str) -> None:
    for movement in received.overlap:
        amount = money.show_euros(movement.units, language)
        what = movement.counterparty or movement.text
        click.echo(f"Known already: {movement.booked_on} {amount} {what}"[:120])
    if received.known:
        click.echo(f"{received.known} of them were known already: nothing is there twice.")
