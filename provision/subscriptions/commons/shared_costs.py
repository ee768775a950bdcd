"""A cost that several instances of a commons carry together, exact to the cent. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision import edges, money
from provision.errors import UsageRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provision.money import Cents


WEIGHT = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class Carried:
    """What one of them carries, by its weight, in cents."""

    name: str
    weight: int
    units: Cents


def carrier(typed: str) -> tuple[str, int]:
    """Return name and weight of what was typed: "Nantes" (weight 1) or "Nantes=3"."""
    name, equals, weight = typed.rpartition("=")
    if not equals:
        return edges.person_name(typed), 1
    if not WEIGHT.fullmatch(weight):
        raise UsageRefused(f"{weight[:40]!r} is not a weight", "Give a whole number: Nantes=3.")
    return edges.person_name(name), int(weight)


def share(units: Cents, carriers: Sequence[tuple[str, int]]) -> tuple[Carried, ...]:
    """Share a cost by whole weights (all 1: equally); of equals the first gets the odd cent.

    Raises UsageRefused for a name that is there twice, MoneyRefused for weights that are not exact.
    """
    names = [name.casefold() for name, _weight in carriers]
    if len(set(names)) < len(names):
        raise UsageRefused("Somebody carries the cost twice", "Name each only once.")
    if units <= 0:
        raise UsageRefused("A cost of nothing", "Give an amount above zero.")
    parts = money.split(units, [weight for _name, weight in carriers]).parts
    return tuple(
        Carried(name, weight, part) for (name, weight), part in zip(carriers, parts, strict=True)
    )
