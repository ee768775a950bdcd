"""Judge documents by the European and French rules, which a schema cannot say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.formats.facturx import batches, schematron
from provision.formats.facturx.batches import Refused
from provision.formats.facturx.facturx_xml import facturx

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provision.formats.facturx.invoice import PaperInvoice
    from provision.formats.facturx.schematron import BrokenRule


@dataclass(frozen=True)
class Judged:
    """How many documents were read, the rules that are broken by number, and what has no XML."""

    documents: int
    broken: dict[str, tuple[BrokenRule, ...]]
    refused: list[Refused]


def judge(documents: Iterable[PaperInvoice | Refused]) -> Judged:
    """Run the schematrons of EN 16931 and BR-FR on the Factur-X of each document.

    Nothing is written. Raises PaquetError when the rules cannot be run.
    """
    xml: dict[str, bytes] = {}
    refused: list[Refused] = []
    for outcome in batches.many(_named, documents):
        if isinstance(outcome, Refused):
            refused.append(outcome)
        else:
            xml |= outcome
    by_number = dict(zip(xml, schematron.findings(xml.values()), strict=True)) if xml else {}
    broken = {number: findings for number, findings in by_number.items() if findings}
    return Judged(len(xml) + len(refused), broken, refused)


def _named(document: PaperInvoice) -> dict[str, bytes]:
    return {document.number: facturx(document)}
