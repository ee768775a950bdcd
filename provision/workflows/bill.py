"""Bill what is due, and write documents: only on a ledger of which every invariant holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.errors import PaquetError, UsageRefused
from provision.formats.facturx import batches
from provision.formats.facturx.batches import Refused
from provision.formats.facturx.facturx_xml import facturx
from provision.formats.facturx.invoice_pdf import invoice_pdf
from provision.process.files import write_private
from provision.subscriptions.books import verify
from provision.subscriptions.selling import billing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from pathlib import Path

    from provision.formats.facturx.invoice import Invoice
    from provision.subscriptions.selling.billing import Outcome
    from provision.workflows.control import Control


@dataclass(frozen=True)
class Written:
    """The files that were written, and the documents that could not be."""

    files: list[Path]
    refused: list[Refused]


def preview(control: Control, day: date) -> Outcome:
    """Return what a run of `day` would issue; nothing is written."""
    with control.session() as session:
        return billing.preview(session, day)


def bill(control: Control, day: date) -> Outcome:
    """Run the billing of `day`. Raises PaquetError when something in the ledger is not whole.

    A day that is still to come is refused: its documents would stop all earlier ones of a series.
    """
    if day > control.today():
        raise UsageRefused(f"{day} is still to come", "Bill on that day; look with --dry-run.")
    with control.reading() as session:
        found = verify.verify(session, seals=False)
    if found:
        raise PaquetError(
            f"The ledger is not whole: {found[0].where}: {found[0].what}",
            "See all of it: paquet books verify. Nothing is billed before.",
        )
    return billing.bill(control.engine, day, control.tell)


def write(documents: Iterable[Invoice | Refused], folder: Path, *, xml: bool = False) -> Written:
    """Write each document as PDF, and its Factur-X beside it when asked.

    Many are made on all cores. One that cannot be written stops none of the others.
    """
    files: list[Path] = []
    refused: list[Refused] = []
    for made in batches.many(_both if xml else _pdf, documents):
        if isinstance(made, Refused):
            refused.append(made)
        else:
            files += write_private(folder, made)
    return Written(files, refused)


def _pdf(document: Invoice) -> dict[str, bytes]:
    return {f"{document.number}.pdf": invoice_pdf(document)}


def _both(document: Invoice) -> dict[str, bytes]:
    return {**_pdf(document), f"{document.number}.xml": facturx(document)}
