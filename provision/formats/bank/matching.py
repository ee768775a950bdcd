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
from provision.money import in_euros

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
    named = {at: _named(one, everything, returns) for at, one in enumerate(movements)}
    firm = without_rivals({at: found for at, found in named.items() if found})
    gone = taken(firm)
    remaining = Candidates(one for one in expected if claim(one) not in gone)
    rest = [(at, one) for at, one in enumerate(movements) if at not in firm]
    alike = {at: found for at, one in rest if (found := _resembling(one, remaining))}
    settled = without_rivals(firm | alike)
    return [settled[at] for at in sorted(settled)]


def _named(
    movement: Movement, candidates: Candidates, returns: Mapping[str, str]
) -> Proposal | None:
    """Propose what the identifiers in the movement say."""
    if returned.came_back(movement, returns):
        return returned.proposal(movement, returns)
    found = candidates.identified(movement)
    if not found:
        return _under_mandate(movement, candidates)
    whole = _whole(movement, found)
    if len(whole) == 1:
        why = f"It names {whole[0].shown}, and the amount is exact"
        return Proposal(movement, (whole[0],), CERTAIN, why)
    if len({_payer(one) for one in found}) == 1 < len(found) and _sum(found) == movement.units:
        why = f"It names {_listed(found)} of one payer, and the sum is exact"
        return Proposal(movement, tuple(found), LIKELY, why)
    payers = candidates.of_payer(movement)
    if len({one.word.casefold() for one in found}) == 1 < len(found):
        return _namesake(movement, found, payers)
    others = [one for one in payers if one.units == movement.units]
    every = tuple(dict.fromkeys([*found, *others]))
    why = f"It names {_listed(found)}, but {in_euros(movement.units)} does not settle exactly that"
    return Proposal(movement, every, UNSURE, why)


def _whole(movement: Movement, found: Sequence[Expected]) -> list[Expected]:
    """Return what the movement is as a whole; a batch of one debit is the batch."""
    whole = [
        one
        for one in found
        if _fits(movement, one) and all(_is_within(other, one) for other in found)
    ]
    return [one for one in whole if one.kind == COLLECTION] or whole


def _under_mandate(movement: Movement, candidates: Candidates) -> Proposal | None:
    """Propose the debit whose mandate the bank names: of that amount, around that day, alone."""
    same = [
        one
        for one in candidates.under_mandate(movement)
        if one.units == movement.units and _is_around(movement, one)
    ]
    if not same or len(movement.details) != 1:
        return None
    if len(same) == 1 and not end_to_ends(movement):
        why = f"It names the mandate of {same[0].shown}; the amount is exact, the day is near"
        return Proposal(movement, tuple(same), CERTAIN, why)
    why = f"It names the mandate of {_listed(same)}, and it is not plain which debit it is"
    return Proposal(movement, tuple(same), UNSURE, why)


def _namesake(
    movement: Movement, found: Sequence[Expected], payers: Sequence[Expected]
) -> Proposal:
    """Propose which of several documents of one number it is: issuers number for themselves.

    The amount and the name must speak for one alone, and neither for another.
    """
    same = [one for one in found if one.units == movement.units]
    named = [one for one in found if one in payers]
    if len(same) == 1 and named in ([], same):
        certainty = CERTAIN if named else LIKELY
        also = "the amount and the name are" if named else "the amount is"
        why = f"It names {same[0].word}, and {also} of {same[0].shown} alone"
        return Proposal(movement, tuple(same), certainty, why)
    why = f"More than one document has the number {found[0].word}"
    return Proposal(movement, tuple(found), UNSURE, why)


def _fits(movement: Movement, one: Expected) -> bool:
    """Say whether the amount is exact, and a batch holds every payment that the bank names.

    Of a debit the bank must give the EndToEndId, as such and alone.
    """
    if one.units != movement.units:
        return False
    if one.kind == DEBIT:
        return end_to_ends(movement) == one.end_to_ends
    inside = one.end_to_ends | {one.reference}
    return one.kind != COLLECTION or not one.end_to_ends or end_to_ends(movement) <= inside


def _is_within(one: Expected, whole: Expected) -> bool:
    """Say whether this is the whole itself, what a batch collects, or what a debit stands for.

    A debit stands for its invoice and for its batch, where the bank credits it alone.
    """
    if one == whole:
        return True
    if whole.kind == DEBIT:
        return one.kind in {INVOICE, COLLECTION} and whole.end_to_ends <= one.end_to_ends
    is_batch = whole.kind == COLLECTION and one.kind != COLLECTION
    return is_batch and frozenset() < one.end_to_ends <= whole.end_to_ends


def _resembling(movement: Movement, candidates: Candidates) -> Proposal | None:
    """Propose what has the amount and the name, without any identifier."""
    same, payers = candidates.of_amount(movement.units), candidates.of_payer(movement)
    groups: list[Group] = [(one,) for one in payers if one.units == movement.units]
    groups += _sums(movement, payers)
    if len(groups) == 1:
        why = f"The name and the amount are those of {_listed(groups[0])}"
        return Proposal(movement, groups[0], LIKELY, why)
    if groups:
        every = tuple(dict.fromkeys(one for group in groups for one in group))
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


def _is_due_batch(movement: Movement, one: Expected) -> bool:
    return one.kind == COLLECTION and _is_around(movement, one)


def _is_around(movement: Movement, one: Expected) -> bool:
    return abs((movement.booked_on - one.due_on).days) <= DAYS_AROUND


def _sums(movement: Movement, expected: list[Expected]) -> list[Group]:
    """Return the groups of two or more open invoices of one payer that make the amount."""
    payers: dict[tuple[tuple[str, ...], str], list[Expected]] = defaultdict(list)
    for one in expected:
        if one.kind == INVOICE and one.units * movement.units > 0:
            payers[_payer(one)].append(one)
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


def _payer(one: Expected) -> tuple[tuple[str, ...], str]:
    return one.names, one.iban


def _sum(group: Iterable[Expected]) -> int:
    return sum(one.units for one in group)


def _listed(group: Iterable[Expected]) -> str:
    references = [one.shown for one in group]
    more = len(references) - MOST_NAMED
    return " and ".join(references[:MOST_NAMED] + ([f"{more} more"] if more > 0 else []))
