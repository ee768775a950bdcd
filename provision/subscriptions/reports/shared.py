"""A cost that several instances carry together, like 600 000 € a year over twenty countries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.money import split

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provision.money import Cents


@dataclass(frozen=True)
class Carried:
    """The cents that one instance carries."""

    instance: str
    cents: Cents


def shared_cost(cents: Cents, weights: Mapping[str, int]) -> tuple[Carried, ...]:
    """Return what each instance carries, by weight (all 1: equally); adds up to the cent.

    Raises MoneyRefused for weights that `provision.money.split` refuses.
    """
    parts = split(cents, [*weights.values()]).parts
    return tuple(Carried(*carried) for carried in zip(weights, parts, strict=True))
