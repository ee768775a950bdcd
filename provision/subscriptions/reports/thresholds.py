"""Tax thresholds: how near each organisation is. They are not the only risk, nor the greatest."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from provision.errors import PaquetError
from provision.subscriptions.reports.ratios import ratio

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provision.money import Cents
    from provision.subscriptions.reports.facts import Income, ReportParty

TABLE = Path(__file__).with_name("thresholds.toml")
CENTS_OF_A_EURO = 100
NEAR = Fraction(80, 100)

Level: TypeAlias = Literal["below", "near", "reached", "unknown"]
Rule: TypeAlias = Literal[
    "franchise", "services_previous", "services_current", "goods_previous", "goods_current"
]
# Subscriptions are services: a business is measured by these two, an association by the first.
RULES_OF: dict[str, tuple[Rule, ...]] = {
    "association": ("franchise",),
    "business": ("services_current", "services_previous"),
}


class _FileTable(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Threshold(_FileTable):
    """The euros of a rule from a day on (until another day, or the next row), and who says so."""

    rule: Rule
    valid_from: date = Field(alias="from")
    valid_until: date | None = Field(default=None, alias="until")
    euros: int = Field(gt=0)
    source: str = Field(min_length=1)
    unverified: bool = False


class _ThresholdsFile(_FileTable):
    threshold: tuple[Threshold, ...] = Field(min_length=1, strict=False)


@dataclass(frozen=True)
class Watch:
    """What a party received in a year against one threshold.

    `year` is that of the receipts. `level` is below, near (80 % and more), reached (100 % and
    more), or unknown where the table has no limit. `of_another_year` says that the amount of the
    year itself is not known, so the latest known one stands in. `taxable` is True for an
    association until a rescrit is recorded.
    """

    party: str
    rule: Rule
    year: int
    received: Cents
    limit: Cents | None
    ratio: Fraction | None
    level: Level
    source: str
    unverified: bool
    of_another_year: bool
    taxable: bool


@cache
def known() -> tuple[Threshold, ...]:
    """Return the table that comes with the package."""
    return parse(TABLE.read_text(encoding="utf-8"))


def parse(text: str) -> tuple[Threshold, ...]:
    """Return the rows of a TOML table, or raise PaquetError with the first thing wrong in it."""
    try:
        rows = _ThresholdsFile.model_validate(tomllib.loads(text)).threshold
    except tomllib.TOMLDecodeError as wrong:
        raise PaquetError(f"The thresholds are not TOML: {wrong}") from None
    except ValidationError as wrong:
        error = wrong.errors(include_url=False)[0]
        place = ", ".join(str(step) for step in error["loc"])
        raise PaquetError(f"The thresholds are wrong at {place}: {error['msg']}") from None
    keys = [(row.rule, row.valid_from) for row in rows]
    if len(set(keys)) < len(keys):
        raise PaquetError("The thresholds name a rule twice from the same day")
    return rows


def on(rule: Rule, day: date, rows: Iterable[Threshold]) -> Threshold | None:
    """Return the row of a rule that was in force on a day, or None where none is known."""
    before = [row for row in rows if row.rule == rule and row.valid_from <= day]
    threshold = max(before, key=lambda row: row.valid_from, default=None)
    if threshold and threshold.valid_until and threshold.valid_until < day:
        return None
    return threshold


def watch(
    parties: Iterable[ReportParty],
    incomes: Iterable[Income],
    today: date,
    rows: Iterable[Threshold],
) -> tuple[Watch, ...]:
    """Return each party's sales against its thresholds in the year of `today`.

    Counted is what was received in the calendar year for sales, VAT excluded, from inside the
    cooperation too: the share that a business pays an association is a sale of the association.
    Dues, gifts and grants do not count. The limit on the year before is measured on that year.
    """
    rows, incomes = tuple(rows), tuple(incomes)
    return tuple(
        _measure(party, incomes, today, (rule, on(rule, today, rows)))
        for party in parties
        for rule in RULES_OF[party.kind]
    )


def _measure(
    party: ReportParty,
    incomes: Iterable[Income],
    today: date,
    measure: tuple[Rule, Threshold | None],
) -> Watch:
    rule, limit = measure
    year = today.year - 1 if rule.endswith("_previous") else today.year
    received = sum(
        income.cents_received
        for income in incomes
        if income.organisation == party.name
        and income.kind == "sale"
        and income.day.year == year
        and income.day <= today
    )
    cents = limit.euros * CENTS_OF_A_EURO if limit else None
    share = ratio(received, cents or 0)
    rescrit = party.rescrit_on is not None and party.rescrit_on <= today
    return Watch(
        party=party.name,
        rule=rule,
        year=year,
        received=received,
        limit=cents,
        ratio=share,
        level=level_of(share),
        source=limit.source if limit else "",
        unverified=limit.unverified if limit else False,
        of_another_year=limit is not None and limit.valid_from.year != today.year,
        taxable=party.kind == "association" and not rescrit,
    )


def level_of(share: Fraction | None) -> Level:
    """Return what a share of a limit calls for."""
    if share is None:
        return "unknown"
    if share >= 1:
        return "reached"
    return "near" if share >= NEAR else "below"
