"""Propose which expectation each bank movement fulfils: to propose is not to decide. Pure.

'certain' is said only where an identifier that we gave (an EndToEndId, the number of an invoice,
the name of a batch, a mandate with the day) stands in the movement, the amount is exact, and
nothing competes. What two
movements claim, or what one movement could mean twice, is 'unsure' and lists everything.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

from provision.formats.bank import returned
from provision.formats.bank.candidates import (
    COLLECTION,
    DEBIT,
    INVOICE,
    Candidates,
    Expected,
    end_to_ends,
)
from provision.formats.bank.proposals import (
    CERTAIN,
    LIKELY,
    UNSURE,
    Proposal,
    claim,
    taken,
    without_rivals,
)
from provision.money import show_euros

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from provision.formats.bank.statements import Movement

__all__ = ["Expected", "Proposal", "propose"]

Group: TypeAlias = tuple[Expected, ...]
DAYS_AROUND = 10  # how far from its day a batch without any name may still be recognised
MOST_NAMED = 5  # in one sentence
MOST_LISTED = 20  # where all pay the same, a list of everybody helps nobody
MOST_SUMMED = 12  # 4,096 sums; of a payer with more open invoices only all together are tried


def propose(
    movements: Sequence[Movement], expected: Sequence[Expected], *, returns: Mapping[str, str]
) -> list[Proposal]:
    """Return at most one proposal per movement, in the order of the movements.

    `returns` names the debits that were collected and may come back: EndToEndId → reference of
    what it paid. A return is proposed as an Expected of kind 'return' with the cents that the bank
    took back; whether they are those of the debit is the ledger's to compare. No expectation is in
    two proposals that are certain or likely. A movement that resembles nothing has no proposal.
    """
    everything = Candidates(expected)
    named = {at: _named(movement, everything, returns) for at, movement in enumerate(movements)}
    firm = without_rivals({at: proposal for at, proposal in named.items() if proposal})
    gone = taken(firm)
    remaining = Candidates(
        expectation for expectation in expected if claim(expectation) not in gone
    )
    rest = [(at, movement) for at, movement in enumerate(movements) if at not in firm]
    alike = {
        at: proposal for at, movement in rest if (proposal := _resembling(movement, remaining))
    }
    settled = without_rivals(firm | alike)
    return [settled[at] for at in sorted(settled)]


def _named(
    movement: Movement, candidates: Candidates, returns: Mapping[str, str]
) -> Proposal | None:
    """Propose what the identifiers in the movement say."""
    if returned.came_back(movement, returns):
        return returned.proposal(movement, returns)
    expected_lines = candidates.identified(movement)
    if not expected_lines:
        return _under_mandate(movement, candidates)
    whole = _whole(movement, expected_lines)
    if len(whole) == 1:
        why = f"It names {whole[0].shown}, and the amount is exact"
        return Proposal(movement, (whole[0],), CERTAIN, why)
    if (
        len({_payer(expected) for expected in expected_lines}) == 1 < len(expected_lines)
        and _sum(expected_lines) == movement.units
    ):
        why = f"It names {_listed(expected_lines)} of one payer, and the sum is exact"
        return Proposal(movement, tuple(expected_lines), LIKELY, why)
    payers = candidates.of_payer(movement)
    if len({expected.word.casefold() for expected in expected_lines}) == 1 < len(expected_lines):
        return _namesake(movement, expected_lines, payers)
    others = [expected for expected in payers if expected.units == movement.units]
    every = tuple(dict.fromkeys([*expected_lines, *others]))
    what = _listed(expected_lines)
    why = f"It names {what}, but {show_euros(movement.units)} does not settle exactly that"
    return Proposal(movement, every, UNSURE, why)


def _whole(movement: Movement, expected_lines: Sequence[Expected]) -> list[Expected]:
    """Return what the movement is as a whole; a batch of one debit is the batch."""
    whole = [
        expected
        for expected in expected_lines
        if _fits(movement, expected)
        and all(_is_within(other, expected) for other in expected_lines)
    ]
    return [expected for expected in whole if expected.kind == COLLECTION] or whole


def _under_mandate(movement: Movement, candidates: Candidates) -> Proposal | None:
    """Propose the debit whose mandate the bank names: of that amount, around that day, alone."""
    same = [
        expected
        for expected in candidates.under_mandate(movement)
        if expected.units == movement.units and _is_around(movement, expected)
    ]
    if not same or len(movement.details) != 1:
        return None
    if len(same) == 1 and not end_to_ends(movement):
        why = f"It names the mandate of {same[0].shown}; the amount is exact, the day is near"
        return Proposal(movement, tuple(same), CERTAIN, why)
    why = f"It names the mandate of {_listed(same)}, and it is not plain which debit it is"
    return Proposal(movement, tuple(same), UNSURE, why)


def _namesake(
    movement: Movement, expected_lines: Sequence[Expected], payers: Sequence[Expected]
) -> Proposal:
    """Propose which of several documents of one number it is: issuers number for themselves.

    The amount and the name must speak for one alone, and neither for another.
    """
    same = [expected for expected in expected_lines if expected.units == movement.units]
    named = [expected for expected in expected_lines if expected in payers]
    if len(same) == 1 and named in ([], same):
        certainty = CERTAIN if named else LIKELY
        also = "the amount and the name are" if named else "the amount is"
        why = f"It names {same[0].word}, and {also} of {same[0].shown} alone"
        return Proposal(movement, tuple(same), certainty, why)
    why = f"More than one document has the number {expected_lines[0].word}"
    return Proposal(movement, tuple(expected_lines), UNSURE, why)


def _fits(movement: Movement, expected: Expected) -> bool:
    """Say whether the amount is exact, and a batch holds every payment that the bank names.

    Of a debit the bank must give the EndToEndId, as such and alone.
    """
    if expected.units != movement.units:
        return False
    if expected.kind == DEBIT:
        return end_to_ends(movement) == expected.end_to_ends
    inside = expected.end_to_ends | {expected.reference}
    return (
        expected.kind != COLLECTION or not expected.end_to_ends or end_to_ends(movement) <= inside
    )


def _is_within(expected: Expected, whole: Expected) -> bool:
    """Say whether this is the whole itself, what a batch collects, or what a debit stands for.

    A debit stands for its invoice and for its batch, where the bank credits it alone.
    """
    if expected == whole:
        return True
    if whole.kind == DEBIT:
        return expected.kind in {INVOICE, COLLECTION} and whole.end_to_ends <= expected.end_to_ends
    is_batch = whole.kind == COLLECTION and expected.kind != COLLECTION
    return is_batch and frozenset() < expected.end_to_ends <= whole.end_to_ends


def _resembling(movement: Movement, candidates: Candidates) -> Proposal | None:
    """Propose what has the amount and the name, without any identifier."""
    same, payers = candidates.of_amount(movement.units), candidates.of_payer(movement)
    groups: list[Group] = [(expected,) for expected in payers if expected.units == movement.units]
    groups += _sums(movement, payers)
    if len(groups) == 1:
        why = f"The name and the amount are those of {_listed(groups[0])}"
        return Proposal(movement, groups[0], LIKELY, why)
    if groups:
        every = tuple(dict.fromkeys(expected for group in groups for expected in group))
        why = f"The name and the amount fit in {len(groups)} ways"
        return Proposal(movement, every, UNSURE, why)
    if len(same) == 1 and _is_due_batch(movement, same[0]):
        why = f"The amount is that of {same[0].reference}, the only batch of this amount"
        return Proposal(movement, tuple(same), LIKELY, why)
    return _by_amount_alone(movement, same) if same else None


def _by_amount_alone(movement: Movement, same: list[Expected]) -> Proposal:
    if len(same) > MOST_LISTED:
        why = f"Nothing but the amount speaks, and for {len(same)} of what is expected"
        return Proposal(movement, (), UNSURE, why)
    return Proposal(movement, tuple(same), UNSURE, f"Only the amount speaks for {_listed(same)}")


def _is_due_batch(movement: Movement, expected: Expected) -> bool:
    return expected.kind == COLLECTION and _is_around(movement, expected)


def _is_around(movement: Movement, expected: Expected) -> bool:
    return abs((movement.booked_on - expected.due_on).days) <= DAYS_AROUND


def _sums(movement: Movement, expected: list[Expected]) -> list[Group]:
    """Return the groups of two or more open invoices of one payer that make the amount."""
    payers: dict[tuple[tuple[str, ...], str], list[Expected]] = defaultdict(list)
    for expectation in expected:
        if expectation.kind == INVOICE and expectation.units * movement.units > 0:
            payers[_payer(expectation)].append(expectation)
    return [
        group
        for invoices in payers.values()
        for group in _groups(invoices)
        if _sum(group) == movement.units
    ]


def _groups(invoices: list[Expected]) -> Iterable[Group]:
    least = 2 if len(invoices) <= MOST_SUMMED else len(invoices)
    for size in range(least, len(invoices) + 1):
        yield from combinations(invoices, size)


def _payer(expected: Expected) -> tuple[tuple[str, ...], str]:
    return expected.names, expected.iban


def _sum(group: Iterable[Expected]) -> int:
    return sum(expected.units for expected in group)


def _listed(group: Iterable[Expected]) -> str:
    references = [expected.shown for expected in group]
    more = len(references) - MOST_NAMED
    return " and ".join(references[:MOST_NAMED] + ([f"{more} more"] if more > 0 else []))
