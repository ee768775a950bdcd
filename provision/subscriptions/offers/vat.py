"""VAT in whole cents: taken out of a price that holds it, or put on one that does not. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from provision.errors import UsageRefused
from provision.money import half_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provision.money import Cents


WHOLE = 10_000  # rates are in hundredths of a percent
GROSS, NET = "gross", "net"


class TreatmentRefused(UsageRefused):
    """A buyer whose VAT nobody here knows, or of whom something is missing for it."""


@dataclass(frozen=True)
class Treatment:
    """How a supply is taxed: its EN 16931 category (S, E, O, AE) and its rate (2000 is 20 %).

    `abroad` says why a buyer abroad is taxed so (a case of `treatments`); at home it is empty.
    """

    category: str
    rate: int
    abroad: str = ""


ROUNDING = Treatment("rounding", 0)  # of what is to pay (BT-114): no supply, and no category of VAT


@dataclass(frozen=True)
class Taxation:
    """How an issuer taxes what it asks of a buyer: prices hold VAT (`basis` is "gross") or not.

    A price that holds VAT holds that of the issuer's own regime, at the rate `held`: who owes
    another VAT, or none, pays the price without it.
    """

    basis: str
    treatment: Treatment
    held: int

    @property
    def is_without(self) -> bool:
        """Tell whether the VAT that prices hold is left out."""
        return self.basis == GROSS and self.held != self.treatment.rate

    def priced(self, units: Cents) -> Cents:
        """Return the price that leads to an amount of `units` cents, VAT included: `asked` back."""
        return half_up(units * (WHOLE + self.held), WHOLE) if self.is_without else units


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


def asked(units: Sequence[Cents], how: Taxation) -> tuple[Taxed, ...]:
    """Return net and VAT of what prices come to for this buyer."""
    if not how.is_without:
        return tax(units, how.basis, how.treatment.rate)
    return tuple(Taxed(taxed.net, 0) for taxed in tax(units, GROSS, how.held))


@lru_cache(maxsize=4096)
def _taxed(units: tuple[Cents, ...], basis: str, rate: int) -> tuple[Taxed, ...]:
    taxed, before = [], 0
    for cents in units:
        after = before + cents
        vat = _vat(after, basis, rate) - _vat(before, basis, rate)
        taxed.append(Taxed(cents - vat if basis == GROSS else cents, vat))
        before = after
    return tuple(taxed)


def _vat(units: Cents, basis: str, rate: int) -> Cents:
    return half_up(units * rate, WHOLE + rate if basis == GROSS else WHOLE)
