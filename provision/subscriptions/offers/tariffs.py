"""Prices that look at who pays, and what is typed for them: by means, by choice, by turnover."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any

from cel_expr_python import cel
from pydantic import BaseModel, ConfigDict, Field

from provision import money
from provision.errors import PaquetError, UsageRefused
from provision.money import half_up, show_euros

if TYPE_CHECKING:
    from collections.abc import Sequence


WHOLE = 10_000
LONGEST_FORMULA = 500
MOST_MEANS = 10**12
Points = Annotated[int, Field(ge=0, le=WHOLE)]
DECLARED = re.compile(r"([a-z0-9-]{1,40})=([0-9]{1,20})")


class TariffPart(BaseModel):
    """A piece of a tariff, strict: a word that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Tier(TariffPart):
    """A price by means: what is declared or proven gives a fixed part of the price."""

    code: str
    name_fr: str
    name_en: str
    basis_points: Points
    proof: str = "declared"


class FreePrice(TariffPart):
    """The subscriber chooses the price of a month (cents): never under the floor."""

    floor: int = Field(ge=0)
    reference: int = Field(ge=0)


class Tariff(TariffPart):
    """All that a plan knows beside its price list; empty for a fixed price.

    `formula` is an expression of the Common Expression Language (cel.dev) over the whole euros
    that a subscriber declares, such as `income / persons < 1000 ? 5000 : 10000`; it gives basis
    points of the price. `turnover_basis_points` is the part of declared turnover.
    """

    tiers: tuple[Tier, ...] = ()
    formula: str = Field(default="", max_length=LONGEST_FORMULA)
    asks: tuple[str, ...] = ()
    free: FreePrice | None = None
    turnover_basis_points: Points = 0


class Means(TariffPart):
    """What a subscriber declared or chose: a tier, numbers for the formula, a price of a month."""

    tier: str = ""
    declared: dict[str, Annotated[int, Field(ge=0, le=MOST_MEANS)]] = {}
    chosen: int | None = None


def check_formula(formula: str, asks: tuple[str, ...]) -> None:
    """Raise PaquetError unless the formula is an expression over `asks` that gives a number."""
    kind = _compiled(formula, asks).return_type()
    if kind != cel.Type.INT:
        raise PaquetError(
            f"The formula gives {kind.name()} and not a whole number",
            "It gives basis points of the price: 10000 is all of it, 5000 is half.",
        )


def points(tariff: Tariff, means: Means) -> int:
    """Return which part of the price is asked, in basis points, or raise UsageRefused."""
    if means.tier:
        return _tier(tariff, means.tier).basis_points
    if not tariff.formula:
        return WHOLE
    missing = [name for name in tariff.asks if name not in means.declared]
    if missing:
        raise UsageRefused(
            f"The price depends on {', '.join(missing)}", "Declare it: --declare NAME=EUROS"
        )
    return _evaluated(tariff, means)


def chosen(tariff: Tariff, means: Means) -> int | None:
    """Return the cents of a month that the subscriber chose, or None for a price of the list."""
    if tariff.free is None:
        return None
    wanted = tariff.free.reference if means.chosen is None else means.chosen
    if wanted < tariff.free.floor:
        shown = show_euros(tariff.free.floor)
        raise UsageRefused(f"The price is free from {shown} on", "Choose that or more.")
    return wanted


def part(units: int, basis_points: int) -> int:
    """Return `basis_points` of `units`, half a cent up."""
    return half_up(units * basis_points, WHOLE)


def _tier(tariff: Tariff, code: str) -> Tier:
    for tier in tariff.tiers:
        if tier.code == code:
            return tier
    known = ", ".join(tier.code for tier in tariff.tiers) or "none"
    raise UsageRefused(f"The plan has no tier {code[:40]!r}", f"It has: {known}.")


def _evaluated(tariff: Tariff, means: Means) -> int:
    declared = {name: means.declared[name] for name in tariff.asks}
    try:
        basis_points: Any = _compiled(tariff.formula, tariff.asks).eval(data=declared).plain_value()
    except (RuntimeError, ValueError) as wrong:
        raise UsageRefused(
            f"The formula of the price cannot be computed: {wrong}", "Check what was declared."
        ) from None
    if (
        not isinstance(basis_points, int)
        or isinstance(basis_points, bool)
        or not 0 <= basis_points <= WHOLE
    ):
        raise UsageRefused(
            "The formula of the price does not give 0 to 10000 basis points",
            "Check what was declared, or mend the formula of the plan.",
        )
    return basis_points


@lru_cache(maxsize=256)
def _compiled(formula: str, asks: tuple[str, ...]) -> cel.Expression:
    try:
        return cel.NewEnv(variables=dict.fromkeys(asks, cel.Type.INT)).compile(formula)
    except (RuntimeError, ValueError) as wrong:
        reason = " ".join(str(wrong).split())[:200]
        raise PaquetError(
            f"The formula is not understood: {reason}",
            "Write it like: income / persons < 1000 ? 5000 : 10000",
        ) from None


def parse_means(tariff: Tariff, tier: str, declared: Sequence[str], amount: str | None) -> Means:
    """Return the means for a plan's tariff, or raise UsageRefused for what it does not ask.

    `declared` are words like "income=1200", in whole euros; `amount` is the price of a month.
    """
    if amount is not None and tariff.free is None:
        raise UsageRefused("The price of this plan is not free", "Leave --amount out.")
    values = dict(_declared(word) for word in declared)
    unknown = [name for name in values if name not in tariff.asks]
    if unknown or len(values) != len(declared):
        asked = ", ".join(tariff.asks) or "nothing"
        raise UsageRefused(
            f"The price does not ask for {', '.join(unknown) or 'the same twice'}",
            f"It asks for: {asked}.",
        )
    chosen = None if amount is None else money.parse(amount).units
    return Means(tier=tier, declared=values, chosen=chosen)


def _declared(typed: str) -> tuple[str, int]:
    match = DECLARED.fullmatch(typed)
    if match is None:
        raise UsageRefused(
            f"{typed[:60]!r} is not a name and whole euros", "Write it like income=1200."
        )
    if int(match[2]) > MOST_MEANS:
        raise UsageRefused(f"{typed[:60]} is more than anybody has", "Check it once more.")
    return match[1], int(match[2])
