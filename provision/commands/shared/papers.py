"""Documents that a command issued, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision import money
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.parties.models import Organisation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from provision.commands.shared.tables import Facts
    from provision.subscriptions.documents.issuing import Number


def document_facts(session: Session, numbers: Iterable[Number]) -> list[Facts]:
    """Return what was issued, a row per document."""
    rows: list[Facts] = []
    for number in numbers:
        invoice = session.get_one(Invoice, tuple(number.columns.values()))
        rows.append(
            {
                "document": number.shown,
                "kind": invoice.kind,
                "issued_by": session.get_one(Organisation, number.organisation_id).name,
                "net": money.euros(invoice.net),
                "vat": money.euros(invoice.vat),
                "gross": money.euros(invoice.gross),
            }
        )
    return rows
