"""Read plans from a commented TOML file (`templates/plans.example.toml`), strictly."""

from __future__ import annotations

import tomllib
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from provision import money
from provision.errors import PaquetError
from provision.registry import edges
from provision.subscriptions.columns import sensible_day

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MOST_USERS, MOST_GIB = 10_000, 1_000_000


def _edge(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Turn a check of ours into one of pydantic's, which says where in the file it refused."""

    def validate(value: object) -> object:
        try:
            return check(value)
        except PaquetError as refused:
            raise ValueError(f"{refused.message}. {refused.hint}".strip()) from None

    return validate


def _first_day(written: object) -> date:
    if not isinstance(written, date) or isinstance(written, datetime):
        raise PaquetError(f"{written!r} is not a day", "Write it like 2026-01-31, without quotes.")
    return sensible_day(written, "the first day of a price")


Code = Annotated[str, AfterValidator(_edge(partial(edges.code, what="code of a plan")))]
Name = Annotated[str, AfterValidator(_edge(partial(edges.person_name, what="name of the plan")))]
Day = Annotated[date, BeforeValidator(_edge(_first_day))]
Price = Annotated[int | None, BeforeValidator(_edge(lambda written: money.parse(written).units))]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PlanName(_Table):
    """What the subscriber reads."""

    fr: Name
    en: Name


class DatedPrice(_Table):
    """The cents of a month and of a year from a day on; None where that term is not sold."""

    valid_from: Day = Field(alias="from")
    monthly: Price = None
    yearly: Price = None


class WrittenPlan(_Table):
    """One plan of the file."""

    code: Code
    name: PlanName
    users: int = Field(ge=1, le=MOST_USERS)
    quota_gib: int = Field(ge=1, le=MOST_GIB)
    price: tuple[DatedPrice, ...] = Field(min_length=1, strict=False)


class _Plans(_Table):
    plan: tuple[WrittenPlan, ...] = Field(min_length=1, strict=False)


def read(path: Path) -> tuple[WrittenPlan, ...]:
    """Return the plans of the file, or raise PaquetError with the first thing that is wrong."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as wrong:
        raise PaquetError(f"{path} cannot be read: {wrong}") from None
    except PaquetError as refused:
        raise PaquetError(f"{path}: {refused.message}", refused.hint) from None


def parse(text: str) -> tuple[WrittenPlan, ...]:
    """Return the plans of the TOML text, or raise PaquetError with the first thing wrong in it."""
    try:
        plans = _Plans.model_validate(tomllib.loads(text)).plan
    except tomllib.TOMLDecodeError as wrong:
        raise PaquetError(f"this is not TOML: {wrong}") from None
    except ValidationError as wrong:
        raise PaquetError(_first(wrong), "See templates/plans.example.toml.") from None
    _check_unique(plans)
    return plans


def _first(wrong: ValidationError) -> str:
    """Say one error as `plan 2, price 1, monthly: …`."""
    error = wrong.errors(include_url=False)[0]
    words: list[str] = []
    for step in error["loc"]:
        if isinstance(step, int):
            words[-1] += f" {step + 1}"
        else:
            words.append(step)
    return f"{', '.join(words)}: {error['msg'].removeprefix('Value error, ')}"


def _check_unique(plans: tuple[WrittenPlan, ...]) -> None:
    codes = [plan.code for plan in plans]
    for plan in plans:
        if codes.count(plan.code) > 1:
            raise PaquetError(f"the plan {plan.code} is there twice", "Give each its own code.")
        days = [price.valid_from for price in plan.price]
        for day in days:
            if days.count(day) > 1:
                raise PaquetError(
                    f"the plan {plan.code} has two prices from {day}", "Keep one of them."
                )
