"""`paquet invoice check`: documents before the European and French rules."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from provision.commands.sales.chosen_documents import selected, which
from provision.commands.shared.context import PROBLEMS_FOUND, pass_context
from provision.commands.shared.words import json_option
from provision.subscriptions.books import papers
from provision.workflows import rules

if TYPE_CHECKING:
    from provision.commands.sales.chosen_documents import ChosenDocuments
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.workflows.rules import Judged


@click.command()
@which
@json_option
@pass_context
def check(context: Context, chosen: ChosenDocuments, *, as_json: bool) -> None:
    """Check documents by the rules of EN 16931 and of France: NUMBERS, or all since a day.

    What is written was checked by the schema; these rules (schematrons) look at what it cannot
    say. Ends with exit code 5 when one is broken.
    """
    with context.reading() as session:
        judged = rules.judge(papers.readable(session, selected(session, chosen)))
    rows = _rows(judged)
    nothing = f"No rule is broken. Documents: {judged.documents}."
    context.show(rows, as_json=as_json, nothing=nothing)
    if rows:
        sys.exit(PROBLEMS_FOUND)


def _rows(judged: Judged) -> list[Facts]:
    """Return one row for each rule that is broken, and for each document that cannot be made."""
    rows: list[Facts] = [
        {"number": document.number, "rule": "", "what": document.why, "where": ""}
        for document in judged.refused
    ]
    return rows + [
        {"number": number, "rule": broken.rule, "what": broken.text, "where": broken.location}
        for number, findings in judged.broken.items()
        for broken in findings
    ]
