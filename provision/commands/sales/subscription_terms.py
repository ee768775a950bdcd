"""`paquet subscription terms`: what the next terms will cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision import money
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import json_option, number_type
from provision.subscriptions.selling import billing, opening

if TYPE_CHECKING:
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts

TERMS_SHOWN, MOST_TERMS = 12, 120


@click.command()
@click.argument("number", type=number_type)
@click.option("--count", type=click.IntRange(1, MOST_TERMS), default=TERMS_SHOWN, show_default=True)
@json_option
@pass_context
def terms(context: Context, number: int, count: int, *, as_json: bool) -> None:
    """Show what the next terms of subscription NUMBER will cost, as it is now."""
    with context.reading() as session:
        subscription = opening.get(session, number)
        coming_terms = billing.coming(session, subscription, count, context.today)
        session.rollback()
    rows: list[Facts] = [
        {
            "from": term.days.starts.isoformat(),
            "until": term.days.until.isoformat(),
            "net": money.euros(term.net),
            "vat": money.euros(term.vat),
            "gross": money.euros(term.net + term.vat),
        }
        for term in coming_terms
    ]
    context.show(rows, as_json=as_json, nothing="Nothing will be billed any more.")
