"""Judge documents by the European and French rules, which a schema cannot say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.formats.facturx import batches, schematron
from provision.formats.facturx.batches import Refused
from provision.formats.facturx.facturx_xml import facturx

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from provision.formats.facturx.invoice import PaperInvoice
    from provision.formats.facturx.schematron import BrokenRule


# BR-FR-Flux2 wants an address for the platforms; who has no SIREN is in the directory of none.
ADDRESS_OF_BUYER = "BR-FR-12_BT-49"


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
    on_paper: set[str] = set()
    for outcome in batches.many(_named, _noted(documents, on_paper)):
        if isinstance(outcome, Refused):
            refused.append(outcome)
        else:
            xml |= outcome
    by_number = dict(zip(xml, schematron.findings(xml.values()), strict=True)) if xml else {}
    waived = {(number, ADDRESS_OF_BUYER) for number in on_paper}
    broken = {
        number: kept
        for number, rules in by_number.items()
        if (kept := tuple(each for each in rules if (number, each.rule) not in waived))
    }
    return Judged(len(xml) + len(refused), broken, refused)


def _noted(
    documents: Iterable[PaperInvoice | Refused], on_paper: set[str]
) -> Iterator[PaperInvoice | Refused]:
    """Note the numbers of those whose buyer has no electronic address: they go by post."""
    for document in documents:
        if not isinstance(document, Refused) and not (document.buyer.siren or document.buyer.email):
            on_paper.add(document.number)
        yield document


def _named(document: PaperInvoice) -> dict[str, bytes]:
    return {document.number: facturx(document)}
