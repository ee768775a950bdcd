"""Read plans from a commented TOML file (`templates/plans.example.toml`), strictly."""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field

from provision import edges, strict
from provision.errors import PaquetError
from provision.strict import Table, edge
from provision.subscriptions.offers import tariffs
from provision.subscriptions.offers.tariffs import FreePrice, Tariff, Tier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MOST_USERS, MOST_GIB, MOST_TRIAL_DAYS = 10_000, 1_000_000, 366
EXAMPLE = "templates/plans.example.toml"
BUNDLE = "bundle"
Repeated = TypeVar("Repeated")

Code = Annotated[str, AfterValidator(edge(partial(edges.code, what="code")))]
Name = Annotated[str, AfterValidator(edge(partial(edges.person_name, what="name")))]
Day = Annotated[date, BeforeValidator(edge(strict.first_day))]
Cents = Annotated[int, BeforeValidator(edge(strict.cents))]
Points = Annotated[int, Field(ge=0, le=tariffs.WHOLE)]


class PlanWords(Table):
    """What the subscriber reads."""

    fr: Name
    en: Name


class DatedPrice(Table):
    """The cents of a month and of a year from a day on; None where that term is not sold."""

    valid_from: Day = Field(alias="from")
    component: Code = BUNDLE
    monthly: Cents | None = None
    yearly: Cents | None = None


class WrittenComponent(Table):
    """A line of its own on the invoice, beside the bundle."""

    code: Code
    name: PlanWords
    per: Literal["bundle", "user", "gib"] = "bundle"
    role: Code = "service"
    included: int = Field(default=0, ge=0)
    euro_only: bool = False


class WrittenTier(Table):
    """A price by means: a part of the price for those who declare, or prove, that they need it."""

    code: Code
    name: PlanWords
    basis_points: Points
    proof: Literal["declared", "document"] = "declared"


class WrittenFree(Table):
    """A price of free choice, by the month: its floor, and what it costs to do the work."""

    floor: Cents
    reference: Cents


class WrittenPlan(Table):
    """One plan of the file."""

    code: Code
    name: PlanWords
    users: int = Field(ge=1, le=MOST_USERS)
    quota_gib: int = Field(ge=1, le=MOST_GIB)
    role: Code = "service"
    vat: Literal["included", "excluded"] = "included"
    trial_days: int = Field(default=0, ge=0, le=MOST_TRIAL_DAYS)
    price: tuple[DatedPrice, ...] = Field(min_length=1, strict=False)
    component: tuple[WrittenComponent, ...] = Field(default=(), strict=False)
    tier: tuple[WrittenTier, ...] = Field(default=(), strict=False)
    formula: str = ""
    asks: tuple[Code, ...] = Field(default=(), strict=False)
    free: WrittenFree | None = None
    turnover_basis_points: Points = 0

    def tariff(self) -> Tariff:
        """Return what the plan knows beside its prices."""
        return Tariff(
            tiers=tuple(
                Tier(
                    code=tier.code,
                    name_fr=tier.name.fr,
                    name_en=tier.name.en,
                    basis_points=tier.basis_points,
                    proof=tier.proof,
                )
                for tier in self.tier
            ),
            formula=self.formula,
            asks=self.asks,
            free=FreePrice(floor=self.free.floor, reference=self.free.reference)
            if self.free
            else None,
            turnover_basis_points=self.turnover_basis_points,
        )

    def components(self) -> tuple[WrittenComponent, ...]:
        """Return all lines of the plan: the bundle itself, then those of their own."""
        bundle = WrittenComponent(code=BUNDLE, name=self.name, role=self.role)
        return (bundle, *self.component)


class _Plans(Table):
    plan: tuple[WrittenPlan, ...] = Field(min_length=1, strict=False)


def read(path: Path) -> tuple[WrittenPlan, ...]:
    """Return the plans of the file, or raise PaquetError with all that is wrong."""
    return _checked(strict.read(path, _Plans, EXAMPLE).plan)


def parse(text: str) -> tuple[WrittenPlan, ...]:
    """Return the plans of the TOML text, or raise PaquetError with all that is wrong in it."""
    return _checked(strict.parse(text, _Plans, EXAMPLE).plan)


def _checked(plans: tuple[WrittenPlan, ...]) -> tuple[WrittenPlan, ...]:
    refused = [*_twice(plans), *(mistake for plan in plans for mistake in _mistakes(plan))]
    if refused:
        raise strict.together(refused)
    return plans


def _twice(plans: tuple[WrittenPlan, ...]) -> Iterator[PaquetError]:
    for code in _repeated(plan.code for plan in plans):
        yield PaquetError(f"the plan {code} is there twice", "Give each its own code.")


def _mistakes(plan: WrittenPlan) -> Iterator[PaquetError]:
    """Yield what is wrong with a plan each of whose words is right."""
    codes = [component.code for component in plan.components()]
    for code in _repeated(codes):
        yield PaquetError(
            f"the plan {plan.code} has two components {code}", "Give each its own code."
        )
    for price in plan.price:
        if price.component not in codes:
            yield PaquetError(
                f"the plan {plan.code} has a price for {price.component}, which it does not have",
                f"Its components are {', '.join(codes)}.",
            )
    for _component, day in _repeated((price.component, price.valid_from) for price in plan.price):
        yield PaquetError(f"the plan {plan.code} has two prices from {day}", "Keep one of them.")
    if plan.formula:
        try:
            tariffs.check_formula(plan.formula, plan.asks)
        except PaquetError as refused:
            yield refused


def _repeated(every: Iterable[Repeated]) -> list[Repeated]:
    """Return what is there more than once, each once."""
    return [value for value, count in Counter(every).items() if count > 1]
