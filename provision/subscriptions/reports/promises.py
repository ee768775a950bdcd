"""Promises and what became of them: reciprocity contracts, and pledges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.subscriptions.reports.ratios import ratio

if TYPE_CHECKING:
    from collections.abc import Iterable
    from fractions import Fraction

    from provision.money import Cents
    from provision.subscriptions.reports.facts import Pledge, Reciprocity


@dataclass(frozen=True)
class Kept:
    """One contract: `open_cents` is what is still to be given, never below zero."""

    contract: Reciprocity
    open_cents: Cents

    @property
    def kept(self) -> bool:
        """Whether all that was due was given."""
        return self.open_cents == 0


@dataclass(frozen=True)
class PledgeState:
    """One pledge: what is missing of it, never below zero, and received / promised."""

    pledge: Pledge
    missing_cents: Cents
    share: Fraction | None


def reciprocity(contracts: Iterable[Reciprocity]) -> tuple[Kept, ...]:
    """Return each contract with what is open of it: due - given, or nothing; in given order."""
    return tuple(
        Kept(contract, max(0, contract.due_cents - contract.given_cents)) for contract in contracts
    )


def pledged(pledges: Iterable[Pledge]) -> tuple[PledgeState, ...]:
    """Return each pledge with promised - received, or nothing; the largest promise first."""
    return tuple(
        PledgeState(
            pledge,
            max(0, pledge.promised_cents - pledge.received_cents),
            ratio(pledge.received_cents, pledge.promised_cents),
        )
        for pledge in sorted(pledges, key=lambda pledge: (-pledge.promised_cents, pledge.source))
    )
