"""What is open on invoices, by age; a non-profit in trouble is not a fraud."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from provision.money import Cents
    from provision.subscriptions.reports.facts import Open

AGES = ("not_due", "0-30", "31-60", "61-90", "over_90")
STEPS = ("none", "notice", "reminder", "formal", "suspend", "close")
LAST_DAYS = (-1, 30, 60, 90)  # of each age but the last, in days after the day it was due


@dataclass(frozen=True)
class OpenByAge:
    """Cents open at one age, by standing of who owes them, and the invoices they are on."""

    age: str
    ordinary: Cents
    non_profit: Cents
    fraud: Cents
    invoices: int


def open_by_age(open_invoices: Iterable[Open], today: date) -> tuple[OpenByAge, ...]:
    """Return all ages, empty ones too: days after the due day; the due day itself is day 0."""
    by_age: dict[str, list[Open]] = {age: [] for age in AGES}
    for invoice in open_invoices:
        by_age[age_of((today - invoice.due).days)].append(invoice)
    return tuple(_sum(age, invoices) for age, invoices in by_age.items())


@dataclass(frozen=True)
class Reminded:
    """Cents open on the invoices whose last step is this one; "none" was never reminded."""

    step: str
    open_cents: Cents
    invoices: int


def reminded(open_invoices: Iterable[Open]) -> tuple[Reminded, ...]:
    """Return all steps, empty ones too, by how far the reminders of each invoice are."""
    cents: Counter[int] = Counter()
    count: Counter[int] = Counter()
    for invoice in open_invoices:
        cents[invoice.dunning_step] += invoice.cents_open
        count[invoice.dunning_step] += 1
    return tuple(Reminded(step, cents[place], count[place]) for place, step in enumerate(STEPS))


def _sum(age: str, invoices: list[Open]) -> OpenByAge:
    cents: Counter[str] = Counter()
    for invoice in invoices:
        cents[invoice.standing] += invoice.cents_open
    return OpenByAge(age, cents["ordinary"], cents["non_profit"], cents["fraud"], len(invoices))


def age_of(days_late: int) -> str:
    """Return the age of an invoice that is so many days late (below zero: not due yet)."""
    return AGES[sum(days_late > last for last in LAST_DAYS)]
