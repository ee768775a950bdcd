"""A proposal of what a movement fulfils, and what becomes of proposals that want the same. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from provision.formats.bank.candidates import COLLECTION, DEBIT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provision.formats.bank.candidates import Expected
    from provision.formats.bank.statements import Movement

Certainty: TypeAlias = Literal["certain", "likely", "unsure"]
CERTAIN: Certainty = "certain"
LIKELY: Certainty = "likely"
UNSURE: Certainty = "unsure"


@dataclass(frozen=True)
class Proposal:
    """What one movement may fulfil, how sure that is, and why in one sentence."""

    movement: Movement
    expected: tuple[Expected, ...]
    certainty: Certainty
    why: str


def claim(one: Expected) -> tuple[str, str, frozenset[str]]:
    """Return what makes an expectation itself; a debit comes back once, whatever the amount."""
    return one.kind, one.reference, one.end_to_ends


def taken(proposals: Mapping[int, Proposal]) -> set[tuple[str, str, frozenset[str]]]:
    """Return the claims of the proposals that are certain or likely."""
    firm = (found for found in proposals.values() if found.certainty != UNSURE)
    return {claim(one) for found in firm for one in found.expected}


def without_rivals(proposals: Mapping[int, Proposal]) -> dict[int, Proposal]:
    """Make unsure what another proposal claims too; what is certain yields to firm claims only."""
    named: Counter[tuple[str, str, frozenset[str]]] = Counter()
    firm: Counter[tuple[str, str, frozenset[str]]] = Counter()
    for found in proposals.values():
        claims = [claim(one) for one in found.expected]
        named.update(claims)
        firm.update(claims if found.certainty != UNSURE else ())
    firm.update(_twice(proposals))
    return {
        at: _settled(found, firm if found.certainty == CERTAIN else named)
        for at, found in proposals.items()
    }


def _twice(proposals: Mapping[int, Proposal]) -> list[tuple[str, str, frozenset[str]]]:
    """Return the claims of batches that came whole and of their debits that came alone too."""
    firm = [
        one for found in proposals.values() if found.certainty != UNSURE for one in found.expected
    ]
    batches = [one for one in firm if one.kind == COLLECTION]
    debits = [one for one in firm if one.kind == DEBIT]
    both = [(a, b) for a in batches for b in debits if b.end_to_ends <= a.end_to_ends]
    return [claim(one) for pair in both for one in pair]


def _settled(found: Proposal, rivals: Counter[tuple[str, str, frozenset[str]]]) -> Proposal:
    contested = [one.shown for one in found.expected if rivals[claim(one)] > 1]
    if not contested or found.certainty == UNSURE:
        return found
    why = f"More than one movement may belong to {' and '.join(contested)}"
    return replace(found, certainty=UNSURE, why=why)
