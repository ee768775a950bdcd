"""Write documents as files: each as PDF with its Factur-X inside, many on all cores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.formats.facturx import batches
from provision.formats.facturx.batches import Refused
from provision.formats.facturx.facturx_xml import facturx
from provision.formats.facturx.invoice_pdf import invoice_pdf
from provision.process.files import write_private

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from provision.formats.facturx.invoice import PaperInvoice


@dataclass(frozen=True)
class WrittenDocuments:
    """The files that were written, and the documents that could not be."""

    files: list[Path]
    refused: list[Refused]


def write(
    documents: Iterable[PaperInvoice | Refused], folder: Path, *, xml: bool = False
) -> WrittenDocuments:
    """Write each document as PDF, and its Factur-X beside it when asked.

    Many are made on all cores. One that cannot be written stops none of the others.
    """
    files: list[Path] = []
    refused: list[Refused] = []
    for outcome in batches.many(_both if xml else _pdf, documents):
        if isinstance(outcome, Refused):
            refused.append(outcome)
        else:
            files += write_private(folder, outcome)
    return WrittenDocuments(files, refused)


def _pdf(document: PaperInvoice) -> dict[str, bytes]:
    return {f"{document.number}.pdf": invoice_pdf(document)}


def _both(document: PaperInvoice) -> dict[str, bytes]:
    return {**_pdf(document), f"{document.number}.xml": facturx(document)}
