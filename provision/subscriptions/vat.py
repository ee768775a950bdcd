"""VAT in whole cents: taken out of a price that holds it, or put on one that does not. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from provision.subscriptions.terms import half_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provision.money import Cents

WHOLE = 10_000  # rates are in hundredths of a percent
GROSS, NET = "gross", "net"


@dataclass(frozen=True)
class Treatment:
    """How a supply is taxed: its EN 16931 category (S, E, O) and its rate (2000 is 20 %)."""

    category: str
    rate: int


ROUNDING = Treatment("rounding", 0)  # of what is to pay (BT-114): no supply, and no category of VAT


@dataclass(frozen=True)
class Taxed:
    """One line's net amount and its VAT."""

    net: Cents
    vat: Cents


def tax(units: Sequence[Cents], basis: str, rate: int) -> tuple[Taxed, ...]:
    """Return net and VAT of lines of one rate, whose prices hold the VAT ("gross") or do not.

    VAT is computed once for all of them, as EN 16931 wants it per rate (BR-CO-17); each line gets
    the difference that it makes to that sum, so that lines add up to it to the cent.
    """
    return _taxed(tuple(units), basis, rate)


@lru_cache(maxsize=4096)
def _taxed(units: tuple[Cents, ...], basis: str, rate: int) -> tuple[Taxed, ...]:
    taxed, before = [], 0
    for one in units:
        after = before + one
        vat = _vat(after, basis, rate) - _vat(before, basis, rate)
        taxed.append(Taxed(one - vat if basis == GROSS else one, vat))
        before = after
    return tuple(taxed)


def _vat(units: Cents, basis: str, rate: int) -> Cents:
    return half_up(units * rate, WHOLE + rate if basis == GROSS else WHOLE)
