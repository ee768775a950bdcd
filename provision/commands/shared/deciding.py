"""Show what a change of money would do, ask, and do it: the same for every command that bills."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision import money
from provision.commands.shared.amounts import worded
from provision.commands.shared.changing import How, decided
from provision.commands.shared.context import show
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.parties.models import Organisation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sqlalchemy.orm import Session

    from provision.commands.shared.context import Context
    from provision.subscriptions.documents.issuing import Number


def decide(
    context: Context, work: Callable[[Session], dict[str, object]], *, dry_run: bool, yes: bool
) -> dict[str, object]:
    """Return what `work` did, or would do with `dry_run`; without `yes` it is shown and asked."""

    def preview(found: dict[str, object]) -> None:
        tell(context, found, as_json=False)

    how = How(dry_run, yes, as_json=False)
    return decided(context, work, how, (preview, "\nDo it?"))


def tell(context: Context, found: Mapping[str, object], *, as_json: bool) -> None:
    """Print facts, and under them the documents if there are some among them."""
    language = context.settings.operator.language
    told = {
        name: [worded(row, language, as_json=as_json) for row in value]
        if isinstance(value, list)
        else value
        for name, value in worded(found, language, as_json=as_json).items()
    }
    if as_json:
        show(told, as_json=True)
        return
    show({name: value for name, value in told.items() if name != "documents"}, as_json=False)
    documents = told.get("documents")
    if isinstance(documents, list):
        show(documents, as_json=False)
    if documents == []:
        click.echo("No document is issued.")


def document_facts(session: Session, numbers: Iterable[Number]) -> list[dict[str, object]]:
    """Return what was issued, one row per document."""
    found = []
    for number in numbers:
        invoice = session.get_one(Invoice, tuple(number.columns.values()))
        found.append(
            {
                "document": number.shown,
                "kind": invoice.kind,
                "issued_by": session.get_one(Organisation, number.organisation_id).name,
                "net": money.euros(invoice.net),
                "vat": money.euros(invoice.vat),
                "gross": money.euros(invoice.gross),
            }
        )
    return found
