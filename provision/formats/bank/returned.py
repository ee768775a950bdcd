"""Payments that came back: matched to the debit that was collected, by its EndToEndId. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.formats.bank.candidates import RETURN, Expected, end_to_ends, text_identifiers
from provision.formats.bank.proposals import CERTAIN, LIKELY, UNSURE, Proposal
from provision.formats.bank.statements import Detail

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provision.formats.bank.statements import Movement


def came_back(movement: Movement, returns: Mapping[str, str]) -> bool:
    """Say whether this is a payment that came back: ours or not, withdrawn or given back."""
    if movement.reversal or movement.reason or any(detail.reason for detail in movement.details):
        return True
    return movement.units < 0 and any(
        detail.end_to_end in returns for detail in _parts(movement, returns)
    )


def proposal(movement: Movement, returns: Mapping[str, str]) -> Proposal:
    """Propose the debits that came back; certain where all of a withdrawal is named and adds up.

    An EndToEndId that stands in the text only may be of a refund that we paid: that is likely.
    """
    parts = _parts(movement, returns)
    known = [part for part in parts if part.end_to_end in returns]
    expected = tuple(_expected(part, movement, returns[part.end_to_end]) for part in known)
    code = f" ({movement.reason})" if movement.reason else ""
    if not known:
        why = f"A payment came back{code}, but it names no debit that was collected"
        return Proposal(movement, (), UNSURE, why)
    whole = (
        len(known) == len(parts)
        and sum(expectation.units for expectation in expected) == movement.units
    )
    if movement.units >= 0 or not whole or any(expectation.units >= 0 for expectation in expected):
        why = f"Debits came back{code}, but not every part has a name and an amount"
        return Proposal(movement, expected, UNSURE, why)
    listed = " and ".join(expectation.reference for expectation in expected)
    if end_to_ends(movement):
        why = f"The EndToEndId of the debit for {listed} came back{code}"
        return Proposal(movement, expected, CERTAIN, why)
    why = f"The text of a withdrawal names the debit for {listed}{code}"
    return Proposal(movement, expected, LIKELY, why)


def _parts(movement: Movement, returns: Mapping[str, str]) -> tuple[Detail, ...]:
    """Return the payments inside the movement, or what its text names where no field does."""
    if not end_to_ends(movement):
        named = sorted(word for word in text_identifiers(movement) if word in returns)
        units = movement.units if len(named) == 1 else None
        return tuple(Detail(units, word) for word in named)
    return movement.details or (Detail(movement.units, movement.end_to_end),)


def _expected(part: Detail, movement: Movement, reference: str) -> Expected:
    """Return the debit that came back, with 0 cents where the bank does not say how many."""
    return Expected(
        kind=RETURN,
        reference=reference,
        units=part.units or 0,
        end_to_ends=frozenset({part.end_to_end}),
        names=(part.counterparty,) if part.counterparty else (),
        iban=part.iban,
        due_on=movement.booked_on,
    )
