"""`paquet payment collect`: the files that the bank takes, and the letters that announce debits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision.commands.shared.changing import agreed, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import day_type, folder_type, typed
from provision.formats.sepa import pain008
from provision.jobs import money as money_runs
from provision.jobs import starting
from provision.money import euros
from provision.subscriptions.parties import organisations
from provision.subscriptions.payments import (
    collecting,
    collection_rows,
    debit_proposals,
    handing_over,
    mailing,
)
from provision.subscriptions.payments.collecting import HandedOver
from provision.subscriptions.payments.mailing import Outbox

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.payments.debit_proposals import CollectionProposal


@dataclass(frozen=True)
class Collecting:
    """What is collected, when, and where its files go."""

    organisation: str
    on: date
    folder: Path
    key: str | None
    again: tuple[str, ...]
    schema: str

    @property
    def named(self) -> frozenset[str]:
        """The invoices that are collected again, as documents write them."""
        return frozenset(number.upper() for number in self.again)


@click.command()
@click.argument("organisation")
@click.option("--on", type=day_type, required=True, help="The day on which accounts are debited.")
@click.option("--to", "folder", type=folder_type, required=True, help="Where files go.")
@click.option("--key", help="What makes this collection one; else its day.")
@click.option("--again", multiple=True, metavar="INVOICE", help="Collect what came back again.")
@click.option("--schema", type=click.Choice(pain008.SCHEMAS), default=pain008.NEW)
@typed(Collecting, "wanted")
@change_options
@pass_context
def collect(context: Context, wanted: Collecting, how: How) -> None:
    """Collect the open invoices of ORGANISATION that are due on a day, under usable mandates.

    A mandate is debited once, for all of them. The same key again writes the same files. Nothing is
    booked before the bank says so.
    """
    made_at = context.control().clock().astimezone()
    key = wanted.key or str(wanted.on)
    handed_over = HandedOver(key, wanted.on, made_at, wanted.schema)
    with context.reading() as session:
        owner = organisations.get(session, wanted.organisation)
        proposal = collecting.plan(session, owner, handed_over, wanted.named)
    if proposal is not None and not proposal.chosen:
        nothing = "Nothing is due by then."
        context.show(_proposed(proposal), as_json=how.as_json, nothing=nothing)
        return
    outbox = Outbox(wanted.folder, context.settings.operator.language, owner.name)
    mailing.check(outbox)
    if proposal is None:
        planned: list[Facts] = [{"collection": key, "on": str(wanted.on), "folder": wanted.folder}]
        question = "It is made already: write its files again?"
    else:
        debits = len(debit_proposals.together(proposal.chosen))
        planned = _proposed(proposal)
        question = f"Collect {len(proposal.chosen)} of them, by {debits} debits?"
    if agreed(context, planned, how, question):
        rows = _collected(context, owner, (handed_over, wanted.named), outbox)
        context.show(rows, as_json=how.as_json)


def _collected(
    context: Context,
    owner: Organisation,
    asked: tuple[HandedOver, frozenset[str]],
    outbox: Outbox,
) -> list[Facts]:
    """Make the collection, or take the one that is there, and write its files."""
    run = money_runs.collection(owner.name, *asked)
    number = starting.see_through(context.control(), run).fact["collection"]
    with context.reading() as session:
        collection = collection_rows.numbered(session, owner.id, number)
        paths = handing_over.write(session, owner, collection, outbox)
    return [{"collection": collection.number, "file": str(path)} for path in paths]


def _proposed(proposal: CollectionProposal) -> list[Facts]:
    chosen = [(choice.document, choice.row.reference, "") for choice in proposal.chosen]
    left_out = [(omission.document, "", omission.why) for omission in proposal.left_out]
    return [
        {
            "invoice": document.shown,
            "due": document.due_on.isoformat(),
            "amount": euros(document.units),
            "mandate": reference,
            "left_out": why,
        }
        for document, reference, why in [*chosen, *left_out]
    ]
