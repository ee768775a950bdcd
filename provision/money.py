"""Exact money: whole minor units of a commodity, read strictly, shown to people, shared fairly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import gcd
from typing import TYPE_CHECKING, TypeAlias

from provision.errors import PaquetError

if TYPE_CHECKING:
    from collections.abc import Sequence

Cents: TypeAlias = int

MOST_DIGITS = 12  # before the separator: a thousand billion, far inside 64 bits
MOST_PARTS = 10_000  # shares finer than a hundredth of a percent are a mistake
WRITTEN = re.compile(r"(-?)([0-9]+)(?:[.,]([0-9]+))?")
NARROW_SPACE, NO_BREAK_SPACE = "\u202f", "\u00a0"


class MoneyRefused(PaquetError):
    """An amount or a sharing that cannot be exact."""


@dataclass(frozen=True)
class Commodity:
    """What is counted: its code, its sign, and how many decimals one unit has."""

    code: str
    sign: str
    decimals: int


EUR = Commodity("EUR", "€", 2)
HOUR = Commodity("HOUR", "h", 0)  # counted in whole seconds: a third of an hour has no decimals
COMMODITIES = {EUR.code: EUR, HOUR.code: HOUR}
# A local currency ("monnaie locale complémentaire") is worth one euro, and is never added to one.
LOCAL = re.compile(r"MLC([A-Z0-9]{2,12})")
TIME = re.compile(r"(-?)([0-9]{1,6})(?::([0-5][0-9])(?::([0-5][0-9]))?)?")


@dataclass(frozen=True)
class Amount:
    """`units` minor units (cents for EUR) of one commodity; only equal commodities add up."""

    commodity: Commodity
    units: Cents

    def __post_init__(self) -> None:
        _check_whole(self.units)

    def __add__(self, other: Amount) -> Amount:
        self._check_same(other)
        return Amount(self.commodity, self.units + other.units)

    def __sub__(self, other: Amount) -> Amount:
        return self + -other

    def __neg__(self) -> Amount:
        return Amount(self.commodity, -self.units)

    def _check_same(self, other: Amount) -> None:
        if other.commodity != self.commodity:
            raise MoneyRefused(
                f"{self.commodity.code} and {other.commodity.code} cannot be added up"
            )


@dataclass(frozen=True)
class Split:
    """`parts` in minor units, one per share, and the cents dealt so far: the next starts there."""

    parts: tuple[Cents, ...]
    carried: int


def euros(units: Cents) -> Amount:
    """Given cents, return the amount in euros."""
    return Amount(EUR, units)


def find_commodity(code: str) -> Commodity:
    """Return the commodity of this code, or raise MoneyRefused.

    Codes of local currencies begin with MLC: 'MLCROLLON' is shown as 'ROLLON'.
    """
    local = LOCAL.fullmatch(code)
    if local is not None:
        return Commodity(code, local[1], 2)
    if code not in COMMODITIES:
        known = ", ".join(sorted(COMMODITIES))
        raise MoneyRefused(f"The commodity {code[:20]!r} is not known", f"Known are: {known}.")
    return COMMODITIES[code]


def parse(written: object, commodity: Commodity = EUR, *, negative: bool = False) -> Amount:
    """Read '12', '12.50' or '12,50' (so many decimals as the commodity has, or none).

    Hours are read as '2', '1:30' or '1:30:15'.

    Anything else is refused with MoneyRefused: a number (a float has lost its cents already), a
    thousands separator (is '1.234' one or a thousand?), a sign where none is allowed.
    """
    if not isinstance(written, str):
        raise MoneyRefused(
            f"The amount {written!r} is not written as text", "Put it in quotes: '12.50'."
        )
    if commodity == HOUR:
        return _parse_hours(written, negative=negative)
    match = WRITTEN.fullmatch(written.strip(" "))
    if not match or len(match[3] or "0" * commodity.decimals) != commodity.decimals:
        raise MoneyRefused(
            f"{written[:40]!r} is not an amount in {commodity.code}",
            f"Write it like '12' or '12.{'5'.ljust(commodity.decimals, '0')}', without spaces.",
        )
    if match[1] and not negative:
        raise MoneyRefused(f"The amount {written[:40]} is negative", "Give it without the sign.")
    if len(match[2]) > MOST_DIGITS:
        raise MoneyRefused(
            f"The amount {written[:40]} has more than {MOST_DIGITS} digits", "Check it once more."
        )
    units = int(match[2] + (match[3] or "0" * commodity.decimals))
    return Amount(commodity, -units if match[1] else units)


def show(amount: Amount, language: str) -> str:
    """Write an amount as French ('1 234,50 €' with no-break spaces) or English ('€1,234.50').

    Hours are '1:30 h' in both.
    """
    commodity = amount.commodity
    if commodity == HOUR:
        return f"{plain(amount)}{NO_BREAK_SPACE}{commodity.sign}"
    whole, minor = divmod(abs(amount.units), 10**commodity.decimals)
    minus = "-" if amount.units < 0 else ""
    decimals = str(minor).rjust(commodity.decimals, "0")
    if language == "fr":
        grouped = f"{whole:,}".replace(",", NARROW_SPACE)
        return f"{minus}{grouped},{decimals}{NO_BREAK_SPACE}{commodity.sign}"
    return f"{minus}{commodity.sign}{whole:,}.{decimals}"


def show_euros(units: Cents, language: str = "en") -> str:
    """Write cents as `show` does, in the language of our refusals unless another is given."""
    return show(euros(units), language)


def plain(amount: Amount) -> str:
    """Write an amount as `parse` reads it: '-1234.50'; hours as '1:30', or '1:30:15'."""
    if amount.commodity == HOUR:
        return _plain_hours(amount.units)
    whole, minor = divmod(abs(amount.units), 10**amount.commodity.decimals)
    decimals = str(minor).rjust(amount.commodity.decimals, "0")
    return f"{'-' if amount.units < 0 else ''}{whole}.{decimals}"


def half_up(numerator: int, denominator: int) -> int:
    """Divide and round to the nearest whole number; half goes away from zero, on both sides."""
    sign = _sign(numerator) * _sign(denominator)
    numerator, denominator = abs(numerator), abs(denominator)
    return sign * ((2 * numerator + denominator) // (2 * denominator))


def apportion(weights: Sequence[int], units: Cents) -> tuple[Cents, ...]:
    """Share `units` in proportion to `weights`, once (`split` goes on from time to time).

    The rule: the first so many weights together have `units` times their sum over the sum of all,
    `half_up`; a part is what it adds to those before it. So the parts add up to `units`; what is
    named first has the same however finely the rest is cut (VAT first, then who shares what is
    left: a report and a VAT statement agree); weights may be below zero (a discount); the sum of
    the weights gives each its weight, and the other sign gives each the other sign. The order
    decides who has the odd cent, and nobody is more than one away from the exact part.
    Raises MoneyRefused when the weights come to nothing and `units` do not.
    """
    whole = sum(weights)
    if not whole and units:
        raise MoneyRefused("Nobody has a share", "Give at least one share above 0.")
    parts, running, before = [], 0, 0
    for weight in weights:
        running += weight
        upto = half_up(units * running, whole) if whole else 0
        parts.append(upto - before)
        before = upto
    return tuple(parts)


def split(units: Cents, shares: Sequence[int], carried: int = 0) -> Split:
    """Share `units` by whole `shares`; `carried` is what the split before this one returned.

    Cents are dealt like cards: each has its turn in a fixed cycle of sum(shares) cents. `carried`
    counts the cents dealt so far, and so is an exact record of every remainder (`remainders`).
    So the parts add up to `units`; over all splits together nobody is a whole cent away from the
    exact share; a part never has the other sign; giving back what was split undoes it.
    Raises MoneyRefused for shares that are not whole, negative, all zero or finer than 1/10 000.
    """
    _check_whole(units)
    weights = _weights(shares)
    before, after = _dealt(weights, carried), _dealt(weights, carried + units)
    parts = tuple(new - old for new, old in zip(after, before, strict=True))
    return Split(parts, carried + units)


def remainders(shares: Sequence[int], carried: int) -> tuple[Fraction, ...]:
    """Return what each share still has to get (below zero: got too early), in exact cents."""
    weights = _weights(shares)
    cycle = sum(weights)
    dealt = _dealt(weights, carried)
    return tuple(
        Fraction(carried * weight, cycle) - got for weight, got in zip(weights, dealt, strict=True)
    )


def _dealt(weights: tuple[int, ...], total: int) -> tuple[int, ...]:
    """Return what each share has when `total` cents were dealt; below zero, what it gave."""
    rounds, rest = divmod(abs(total), sum(weights))
    counts = _turns(weights)[rest]
    sign = _sign(total)
    return tuple(
        sign * (rounds * weight + count) for weight, count in zip(weights, counts, strict=True)
    )


@lru_cache(maxsize=256)
def _turns(weights: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Return what each share has after 0, 1, 2, … cents of one cycle.

    The next cent goes to the share that must have it soonest, among those that may have it already
    (the quota method of Balinski and Young, American Mathematical Monthly 82, 1975): each share
    stays between its exact part rounded down and rounded up, and never loses a cent it had. Of
    equals the one that is named first gets it.
    """
    cycle = sum(weights)
    counts = [0] * len(weights)
    turns = [tuple(counts)]
    for dealt in range(1, cycle + 1):
        due = [
            (Fraction(count + 1, weight), place)
            for place, (count, weight) in enumerate(zip(counts, weights, strict=True))
            if count * cycle < dealt * weight
        ]
        counts[min(due)[1]] += 1
        turns.append(tuple(counts))
    return tuple(turns)


def _weights(shares: Sequence[int]) -> tuple[int, ...]:
    """Return the shares in lowest terms: 70 and 30 are 7 and 3."""
    for share in shares:
        _check_whole(share)
    return _reduced(tuple(shares))


@lru_cache(maxsize=256)
def _reduced(shares: tuple[int, ...]) -> tuple[int, ...]:
    for share in shares:
        if share < 0:
            raise MoneyRefused(f"The share {share} is negative", "A share is 0 or more.")
    if not sum(shares):
        raise MoneyRefused("Nobody has a share", "Give at least one share above 0.")
    common = gcd(*shares)
    if sum(shares) // common > MOST_PARTS:
        raise MoneyRefused(
            f"The shares have more than {MOST_PARTS} parts together", "Use hundredths of a percent."
        )
    return tuple(share // common for share in shares)


def _parse_hours(written: str, *, negative: bool) -> Amount:
    match = TIME.fullmatch(written.strip(" "))
    if not match:
        raise MoneyRefused(
            f"{written[:40]!r} is not a time", "Write it like '2', '1:30' or '0:45'."
        )
    if match[1] and not negative:
        raise MoneyRefused(f"The time {written[:40]} is negative", "Give it without the sign.")
    seconds = int(match[2]) * 3600 + int(match[3] or 0) * 60 + int(match[4] or 0)
    return Amount(HOUR, -seconds if match[1] else seconds)


def _plain_hours(units: int) -> str:
    minutes, seconds = divmod(abs(units), 60)
    rest = f":{seconds:02d}" if seconds else ""
    return f"{'-' if units < 0 else ''}{minutes // 60}:{minutes % 60:02d}{rest}"


def _check_whole(number: object) -> None:
    if type(number) is not int:  # a bool is an int to isinstance
        raise MoneyRefused(f"{number!r} is not a whole number", "Money is counted in whole cents.")


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
