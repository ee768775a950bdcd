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


def claim(expected: Expected) -> tuple[str, str, frozenset[str]]:
    """Return what makes an expectation itself; a debit comes back once, whatever the amount."""
    return expected.kind, expected.reference, expected.end_to_ends


def taken(proposals: Mapping[int, Proposal]) -> set[tuple[str, str, frozenset[str]]]:
    """Return the claims of the proposals that are certain or likely."""
    firm = (proposal for proposal in proposals.values() if proposal.certainty != UNSURE)
    return {claim(expected) for proposal in firm for expected in proposal.expected}


def without_rivals(proposals: Mapping[int, Proposal]) -> dict[int, Proposal]:
    """Make unsure what another proposal claims too; what is certain yields to firm claims only."""
    named: Counter[tuple[str, str, frozenset[str]]] = Counter()
    firm: Counter[tuple[str, str, frozenset[str]]] = Counter()
    for proposal in proposals.values():
        claims = [claim(expected) for expected in proposal.expected]
        named.update(claims)
        firm.update(claims if proposal.certainty != UNSURE else ())
    firm.update(_twice(proposals))
    return {
        at: _settled(proposal, firm if proposal.certainty == CERTAIN else named)
        for at, proposal in proposals.items()
    }


def _twice(proposals: Mapping[int, Proposal]) -> list[tuple[str, str, frozenset[str]]]:
    """Return the claims of batches that came whole and of their debits that came alone too."""
    firm = [
        expected
        for proposal in proposals.values()
        if proposal.certainty != UNSURE
        for expected in proposal.expected
    ]
    batches = [expected for expected in firm if expected.kind == COLLECTION]
    debits = [expected for expected in firm if expected.kind == DEBIT]
    both = [(a, b) for a in batches for b in debits if b.end_to_ends <= a.end_to_ends]
    return [claim(expected) for pair in both for expected in pair]


def _settled(proposal: Proposal, rivals: Counter[tuple[str, str, frozenset[str]]]) -> Proposal:
    contested = [expected.shown for expected in proposal.expected if rivals[claim(expected)] > 1]
    if not contested or proposal.certainty == UNSURE:
        return proposal
    why = f"More than one movement may belong to {' and '.join(contested)}"
    return replace(proposal, certainty=UNSURE, why=why)
