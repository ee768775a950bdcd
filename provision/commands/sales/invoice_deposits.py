"""`paquet invoice deposit|deposits`: ask for money in advance, and see what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision import money
from provision.commands.sales.subscription_changes import get
from provision.commands.shared.words import worded
from provision.commands.shared.context import (
    again_option,
    ask_again,
    dry_run_option,
    json_option,
    number_type,
    pass_context,
    show,
    yes_option,
)
from provision.commands.shared.deciding import decide, document_facts, tell
from provision.subscriptions.parties import organisations
from provision.subscriptions.selling import deposits

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.commands.shared.context import Context


@click.command()
@click.argument("subscription", type=number_type)
@click.option("--amount", required=True, help="What the subscriber pays, VAT included.")
@click.option("--why", default="", help="The subscriber reads it on the invoice.")
@again_option
@yes_option
@dry_run_option
@json_option
@pass_context
def deposit(context: Context, /, **words: object) -> None:
    """Issue a deposit invoice for what will be sold under SUBSCRIPTION.

    What is paid of it is deducted from the invoices that follow. What is left when the
    subscription ends is given back.
    """
    today = context.control().today()
    units = money.parse(str(words["amount"])).units
    if not (words["again"] or words["dry_run"]):
        with context.reading() as session:
            one = get(session, words["subscription"])
            there = deposits.same_of(session, one, units, today)
        if there is not None:
            ask_again(f"The same deposit was asked for already: {there.shown} of {today}")

    def work(session: Session) -> dict[str, object]:
        one = get(session, words["subscription"])
        made = deposits.issue(session, one, units, str(words["why"]), today)
        return {"subscription": one.id, "documents": document_facts(session, [made])}

    found = decide(context, work, dry_run=bool(words["dry_run"]), yes=bool(words["yes"]))
    tell(context, found, as_json=bool(words["as_json"]))


@click.command(name="deposits")
@json_option
@pass_context
def list_deposits(context: Context, *, as_json: bool) -> None:
    """Show deposits: what was paid and deducted of each, and what can still be deducted."""
    language = context.settings.operator.language
    with context.reading() as session:
        names = {one.id: one.name for one in organisations.everyone(session)}
        rows = [
            {
                "number": one.shown,
                "issued_by": names[one.organisation_id],
                "subscription": one.subscription_id,
                "issued": one.issued_on.isoformat(),
                "gross": one.gross,
                "paid": one.paid,
                "deducted": one.deducted,
                "left": one.left,
                "credited": one.is_credited,
            }
            for one in deposits.everything(session)
        ]
    show([worded(row, language, as_json=as_json) for row in rows], as_json=as_json)
    if not rows and not as_json:
        click.echo("There is none.")
