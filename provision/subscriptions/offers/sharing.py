"""Who gets what of a line's net amount, exactly, and where every contract's splits go on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision import money
from provision.subscriptions.offers import contracts
from provision.subscriptions.offers.models import Carry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from provision.money import Cents

_ALL = select(Carry)


@dataclass(frozen=True)
class Rule:
    """Whole parts of one beneficiary: an organisation, or a fund that it keeps apart."""

    organisation_id: int
    fund_id: int | None
    parts: int


@dataclass(frozen=True)
class Agreement:
    """A contract as the billing needs it: its mode, and the rules of each role ("" for others)."""

    contract_id: int
    seller_id: int
    supporter_id: int
    mode: str
    rules: dict[str, tuple[Rule, ...]]

    @property
    def issuers(self) -> tuple[int, ...]:
        """Who invoices under it: the seller all, or each of both its own part."""
        both = (self.seller_id, self.supporter_id)
        return both if self.mode == contracts.TWO_CONTRACTS else both[:1]

    def for_role(self, role: str) -> tuple[str, tuple[Rule, ...]]:
        """Return the rules for lines of `role`, with the name under which cents are carried."""
        if self.mode == contracts.MECENAT:
            return "", (Rule(self.seller_id, None, 1),)
        return (role, self.rules[role]) if role in self.rules else ("", self.rules[""])


@dataclass(frozen=True)
class Shared:
    """A split: units by beneficiary, in the order of the rules, and what was dealt by then."""

    parts: tuple[tuple[Rule, Cents], ...]
    carried: int


@dataclass
class Dealer:
    """Deals cents by the rules of contracts; `carried` says where each (contract, role) is."""

    carried: dict[tuple[int, str], int] = field(default_factory=dict)
    changed: set[tuple[int, str]] = field(default_factory=set)

    def branched(self) -> Dealer:
        """Return one that goes on from here by itself: what it deals may be left undone."""
        return Dealer(dict(self.carried), set(self.changed))

    def deal(self, agreement: Agreement, role: str, units: Cents) -> Shared:
        """Share `units` (below zero: they are given back) and remember where the next goes on."""
        name, rules = agreement.for_role(role)
        place = (agreement.contract_id, name)
        done = money.split(units, [rule.parts for rule in rules], self.carried.get(place, 0))
        self.carried[place] = done.carried
        self.changed.add(place)
        return Shared(tuple(zip(rules, done.parts, strict=True)), done.carried)


def part_of(organisation_id: int, parts: Sequence[tuple[Rule, Cents]]) -> Cents:
    """Return what one organisation gets, the funds that it keeps included."""
    return sum(units for rule, units in parts if rule.organisation_id == organisation_id)


def load(session: Session) -> Dealer:
    """Return a dealer that goes on where the registry is."""
    return Dealer({(row.contract_id, row.role): row.carried for row in session.scalars(_ALL)})


def save(session: Session, dealer: Dealer) -> None:
    """Write where the splits are now."""
    for contract_id, role in sorted(dealer.changed):
        carried = dealer.carried[contract_id, role]
        session.merge(Carry(contract_id=contract_id, role=role, carried=carried))
    dealer.changed.clear()
    session.flush()
