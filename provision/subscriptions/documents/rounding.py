"""The VAT of each rate as a reader of the document computes it, and the cents that are left over.

EN 16931-1, BR-CO-17: the VAT of a rate is what its lines come to, times the rate, rounded to the
cent. Not every price with VAT inside has such a base: at 20 % one in six has none (2.77 € makes
3.32 and 2.78 makes 3.34), and parts of a document that were rounded by themselves may differ too.
What is asked for stays; the VAT is that of the rule, and the rest is the rounding of what is to pay
(BT-114): a line of its own here, without VAT, income or cost of whoever issues the document.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from provision.money import half_up
from provision.subscriptions.documents.drafts import ROUNDED, DraftLine
from provision.subscriptions.offers.catalogue import Item
from provision.subscriptions.offers.sharing import Rule
from provision.subscriptions.offers.vat import ROUNDING, WHOLE

if TYPE_CHECKING:
    from provision.money import Cents
    from provision.subscriptions.documents.drafts import Draft
    from provision.subscriptions.offers.vat import Treatment

LABEL = "Arrondi"  # no paper shows the line itself


def exact(draft: Draft) -> Draft:
    """Return the draft with the same sum, and with the VAT of each rate as BR-CO-17 wants it."""
    beside = {treatment: units for treatment, units in _beside(draft).items() if units}
    if not beside:
        return draft
    lines = list(draft.lines)
    for treatment, units in beside.items():
        alike = [place for place, line in enumerate(lines) if line.treatment == treatment]
        largest = max(alike, key=lambda place: abs(lines[place].vat))
        line = lines[largest]
        lines[largest] = replace(line, vat=line.vat - units)
        lines.append(_rounding(line, units, draft.issuer_id))
    return replace(draft, lines=tuple(lines))


def of(draft: Draft) -> Cents:
    """Return what the rounding adds to the sum of the draft."""
    return sum(line.net for line in draft.lines if line.treatment == ROUNDING)


def _rounding(line: DraftLine, units: Cents, issuer_id: int) -> DraftLine:
    """Return the line that keeps the cents which the VAT of `line` had too many."""
    item = Item(f"{line.item.component}{ROUNDED}", line.item.role, LABEL, 1, 0)
    shares = ((Rule(issuer_id, None, 1), units),)
    return DraftLine(item, line.days, units, 0, ROUNDING, shares=shares)


def _beside(draft: Draft) -> dict[Treatment, Cents]:
    """Return by how much the VAT of each rate is above what the rule says."""
    net: dict[Treatment, Cents] = defaultdict(int)
    vat: dict[Treatment, Cents] = defaultdict(int)
    for line in draft.lines:
        net[line.treatment] += line.net
        vat[line.treatment] += line.vat
    return {
        treatment: vat[treatment] - half_up(net[treatment] * treatment.rate, WHOLE)
        for treatment in net
    }
