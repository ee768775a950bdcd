"""What a registry cannot know, from a commented TOML file (`templates/report.example.toml`)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from provision import edges, strict
from provision.errors import PaquetError
from provision.strict import Table, edge
from provision.subscriptions.documents import numbering
from provision.subscriptions.offers.planfile import Cents, Day, Name  # noqa: TC001 (pydantic reads it)
from provision.subscriptions.reports.coverage import LONGEST_TERM
from provision.subscriptions.reports.facts import (
    CashAtHand,
    Cost,
    Given,
    Income,
    Pledge,
    Reciprocity,
)
from provision.subscriptions.reports.hours import HIGHEST_RATE, LOWEST_RATE, SECONDS_OF_AN_HOUR
from provision.subscriptions.reports.months import month_of, shift
from provision.subscriptions.reports.ratios import WHOLE, percent_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path
    from typing import Self

EXAMPLE = "templates/report.example.toml"
SECONDS_OF_A_MINUTE, LAST_MINUTE = 60, 59
MOST_HOURS = 24 * 31  # that one gift of time can have


def _shown(typed: str) -> str:
    return numbering.shown(*numbering.parse(typed))


InvoiceNumber = Annotated[str, AfterValidator(edge(_shown))]
Hourly = Annotated[Cents, Field(ge=LOWEST_RATE, le=HIGHEST_RATE)]
Reference = Annotated[str, AfterValidator(edge(partial(edges.code, what="reference of a person")))]


class _Dated(Table):
    """An amount of one day (`on`), or of each month `from` a day on, `until` another if it ends."""

    organisation: Name
    amount: Cents
    on: Day | None = None
    from_day: Day | None = Field(default=None, alias="from")
    until: Day | None = None
    between: bool = False

    @model_validator(mode="after")
    def _check_days(self) -> Self:
        if (self.on is None) == (self.from_day is None):
            raise ValueError("give either the day (on) or the first month (from)")
        if self.until is not None and (self.from_day is None or self.until < self.from_day):
            raise ValueError("until is the end of what has a from, and not before it")
        return self

    def days(self, first: date, last: date) -> Iterator[date]:
        """Yield its day, or the first of each of its months, from `first` to `last`."""
        if self.on is not None:
            yield from (day for day in (self.on,) if first <= day <= last)
        if self.from_day is not None:
            month = max(month_of(self.from_day), month_of(first))
            while month <= min(self.until or last, last):
                yield month
                month = shift(month, 1)


class WrittenCost(_Dated):
    """What an organisation paid, without deductible VAT."""

    label: Name
    kind: Literal["infrastructure", "service", "upstream", "pay", "other"]
    incompressible: bool = True


class WrittenIncome(_Dated):
    """What an organisation received, without VAT, beside what the registry knows."""

    kind: Literal["sale", "dues", "gift", "grant", "other"]
    recurring: bool = False
    months: int = Field(default=1, ge=1, le=LONGEST_TERM)


class WrittenRescrit(Table):
    """The day on which the tax office answered an organisation in writing."""

    organisation: Name
    on: Day


class WrittenCash(Table):
    """What an organisation had at hand on a day."""

    organisation: Name
    amount: Cents
    on: Day


class WrittenPledge(Table):
    """What a source promised, and what came of it so far."""

    source: Name
    promised: Cents
    received: Cents = 0


class WrittenTime(Table):
    """Time that a person, known by a reference alone, gave to an organisation."""

    organisation: Name
    person: Reference
    on: Day
    hours: int = Field(default=0, ge=0, le=MOST_HOURS)
    minutes: int = Field(default=0, ge=0, le=LAST_MINUTE)
    commons: bool = False


class WrittenReciprocity(Table):
    """A voluntary contract to give back a part of a base, in hundredths of a percent."""

    from_party: Name = Field(alias="from")
    to_party: Name = Field(alias="to")
    rate_basis_points: int = Field(ge=0, le=WHOLE)
    base: Cents
    given: Cents = 0
    period: Name


class WrittenFraud(Table):
    """An invoice that is not paid because of a fraud."""

    organisation: Name
    invoice: InvoiceNumber


class FactsFile(Table):
    """All that a report is told beside the registry.

    `hourly` values time, in cents an hour; `commons` are the purposes under which the registry
    holds time that went into common code.
    """

    title: Name | None = None
    hourly: Hourly | None = None
    commons: tuple[Name, ...] = Field(default=(), strict=False)
    cost: tuple[WrittenCost, ...] = Field(default=(), strict=False)
    income: tuple[WrittenIncome, ...] = Field(default=(), strict=False)
    rescrit: tuple[WrittenRescrit, ...] = Field(default=(), strict=False)
    cash: tuple[WrittenCash, ...] = Field(default=(), strict=False)
    pledge: tuple[WrittenPledge, ...] = Field(default=(), strict=False)
    time: tuple[WrittenTime, ...] = Field(default=(), strict=False)
    reciprocity: tuple[WrittenReciprocity, ...] = Field(default=(), strict=False)
    fraud: tuple[WrittenFraud, ...] = Field(default=(), strict=False)

    @property
    def organisations(self) -> set[str]:
        """The names that must be organisations of the registry."""
        groups = (self.cost, self.income, self.rescrit, self.cash, self.time, self.fraud)
        return {fact.organisation for group in groups for fact in group}

    def costs(self, first: date, last: date) -> tuple[Cost, ...]:
        """Return the costs from one day to another; a monthly one on the first of each month."""
        return tuple(
            Cost(
                day=day,
                organisation=cost.organisation,
                label=cost.label,
                kind=cost.kind,
                cents=cost.amount,
                incompressible=cost.incompressible,
                between=cost.between,
            )
            for cost in self.cost
            for day in cost.days(first, last)
        )

    def incomes(self, first: date, last: date) -> tuple[Income, ...]:
        """Return the incomes from one day to another, in the same way."""
        return tuple(
            Income(
                day=day,
                organisation=income.organisation,
                kind=income.kind,
                recurring=income.recurring,
                cents_received=income.amount,
                months=income.months,
                between=income.between,
            )
            for income in self.income
            for day in income.days(first, last)
        )

    def rescrits(self) -> dict[str, date]:
        """Return the day of each organisation's rescrit. Raises PaquetError for a second one."""
        days: dict[str, date] = {}
        for rescrit in self.rescrit:
            if rescrit.organisation in days:
                raise PaquetError(
                    f"The rescrit of {rescrit.organisation} is there twice",
                    "Keep the first answer.",
                )
            days[rescrit.organisation] = rescrit.on
        return days

    def at_hand(self, last: date) -> tuple[CashAtHand, ...]:
        """Return what was at hand up to a day."""
        return tuple(
            CashAtHand(cash.organisation, cash.amount, cash.on)
            for cash in self.cash
            if cash.on <= last
        )

    def given(self) -> tuple[Given, ...]:
        """Return the time that was given, in seconds."""
        return tuple(
            Given(
                day=time.on,
                person_reference=time.person,
                organisation=time.organisation,
                seconds=time.hours * SECONDS_OF_AN_HOUR + time.minutes * SECONDS_OF_A_MINUTE,
                commons=time.commons,
            )
            for time in self.time
        )

    def reciprocities(self) -> tuple[Reciprocity, ...]:
        """Return the contracts: what is due is the rate of the base, half a cent up."""
        return tuple(
            Reciprocity(
                from_party=contract.from_party,
                to_party=contract.to_party,
                rate_basis_points=contract.rate_basis_points,
                base_cents=contract.base,
                due_cents=percent_of(contract.base, contract.rate_basis_points),
                given_cents=contract.given,
                period=contract.period,
            )
            for contract in self.reciprocity
        )

    def pledges(self) -> tuple[Pledge, ...]:
        """Return the promises."""
        return tuple(
            Pledge(pledge.source, pledge.promised, pledge.received) for pledge in self.pledge
        )

    def frauds(self) -> frozenset[tuple[str, str]]:
        """Return which invoices are marked, each as (organisation, number)."""
        return frozenset((fraud.organisation, fraud.invoice) for fraud in self.fraud)


def read(path: Path) -> FactsFile:
    """Return the file's content, or raise PaquetError with the first thing wrong in it."""
    return strict.read(path, FactsFile, EXAMPLE)


def parse(text: str) -> FactsFile:
    """Return the content of a TOML text, or raise PaquetError with the first thing wrong in it."""
    return strict.parse(text, FactsFile, EXAMPLE)
