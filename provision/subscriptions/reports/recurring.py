"""Monthly recurring revenue (MRR), how it moved, and how much of all income recurs."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from provision.errors import PaquetError
from provision.money import half_up
from provision.subscriptions.reports.months import MONTHS_OF_A_YEAR, last_day, month_of, shift
from provision.subscriptions.reports.ratios import ratio

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date
    from fractions import Fraction

    from provision.money import Cents
    from provision.subscriptions.reports.facts import Income, Life, Rate

# What a subscriber pays a month at the end of each month, in twelfths of a cent, so that a yearly
# price is exact; None while he has no subscription.
Twelfths: TypeAlias = int
Course: TypeAlias = list[Twelfths | None]
KINDS = ("new", "reactivated", "expansion", "contraction", "churned")


class PaidChange(NamedTuple):
    """What one subscriber paid at the end of a month, and of the next; `known` before it."""

    old: Twelfths | None
    new: Twelfths | None
    known: bool

    @property
    def by(self) -> Twelfths:
        """Return how much more is paid."""
        return (self.new or 0) - (self.old or 0)

    @property
    def kind(self) -> str:
        """Return the name of the movement."""
        if self.old is None:
            return "reactivated" if self.known else "new"
        if self.new is None:
            return "churned"
        return "expansion" if self.new > self.old else "contraction"


class Served(NamedTuple):
    """A subscription that is served on a day, and what it pays a month then."""

    life: Life
    twelfths: Twelfths


@dataclass(frozen=True)
class RecurringMovement:
    """The MRR of one month: opening + the five movements = closing, to the cent.

    Contraction and churned are below zero. `opened`, `joined`, `returned`, `left` and `closed`
    count subscribers: opened + joined + returned - left = closed.
    """

    month: date
    opening: Cents
    new: Cents
    reactivated: Cents
    expansion: Cents
    contraction: Cents
    churned: Cents
    closing: Cents
    opened: int
    joined: int
    returned: int
    left: int
    closed: int


def movements(
    lives: Sequence[Life], rates: Iterable[Rate], months: Sequence[date]
) -> tuple[RecurringMovement, ...]:
    """Return how the MRR moved in each of the consecutive months.

    MRR of a month = sum of what each subscriber with a subscription on its last day pays a month
    (a yearly price counts for a twelfth). A subscriber is new in his first month, reactivated when
    he had none at the end of the month before but had one earlier. One who comes and goes inside
    one month is not seen. Sums are kept in twelfths of a cent and rounded half up as running
    totals, so every line of the table adds up.
    """
    ends = [last_day(month) for month in (shift(months[0], -1), *months)]
    courses, first_days = monthly(lives, rates, ends), _first_days(lives)
    opening = sum(course[0] or 0 for course in courses.values())
    opened = sum(course[0] is not None for course in courses.values())
    rows = []
    for at, month in enumerate(months):
        changes = [
            PaidChange(course[at], course[at + 1], first_days[who] <= ends[at])
            for who, course in courses.items()
            if course[at] != course[at + 1]
        ]
        rows.append(_movement(month, opening, opened, changes))
        opening += sum(change.by for change in changes)
        opened = rows[-1].closed
    return tuple(rows)


def monthly(
    lives: Iterable[Life], rates: Iterable[Rate], days: Sequence[date]
) -> dict[str, Course]:
    """Return by subscriber what he pays a month on each of the ascending days."""
    steps = _steps(rates)
    courses: dict[str, Course] = {}
    for life in lives:
        course = courses.setdefault(life.subscriber_reference, [None] * len(days))
        ends = len(days) if life.last_day is None else bisect_right(days, life.last_day)
        for first_day, twelfths in reversed(_known(steps, life)):
            begins = bisect_left(days, max(first_day, life.first_day))
            for at in range(begins, ends):
                course[at] = (course[at] or 0) + twelfths
            ends = min(ends, begins)
    return courses


def served(lives: Iterable[Life], rates: Iterable[Rate], day: date) -> tuple[Served, ...]:
    """Return the subscriptions that are served on a day, each with what it pays a month."""
    steps = _steps(rates)
    return tuple(
        Served(life, _in_force(_known(steps, life), day))
        for life in lives
        if life.first_day <= day and (life.last_day is None or day <= life.last_day)
    )


def in_cents(twelfths: Twelfths) -> Cents:
    """Return twelfths of a cent in cents, rounded half up."""
    return half_up(twelfths, MONTHS_OF_A_YEAR)


def recurring_ratio(incomes: Iterable[Income], months: Sequence[date]) -> Fraction | None:
    """Return recurring income / all income received from outside in these months."""
    inside = [income for income in incomes if month_of(income.day) in months and not income.between]
    recurring = sum(income.cents_received for income in inside if income.recurring)
    return ratio(recurring, sum(income.cents_received for income in inside))


def _steps(rates: Iterable[Rate]) -> dict[int, list[tuple[date, Twelfths]]]:
    steps: dict[int, list[tuple[date, Twelfths]]] = {}
    for rate in rates:
        if rate.months < 1 or MONTHS_OF_A_YEAR % rate.months:
            raise PaquetError(f"A price for {rate.months} months has no exact twelfth of a year")
        twelfths = rate.cents * (MONTHS_OF_A_YEAR // rate.months)
        steps.setdefault(rate.subscription, []).append((rate.from_day, twelfths))
    for known in steps.values():
        known.sort(key=lambda step: step[0])
    return steps


def _known(
    steps: dict[int, list[tuple[date, Twelfths]]], life: Life
) -> list[tuple[date, Twelfths]]:
    known = steps.get(life.subscription, [])
    if not known or known[0][0] > life.first_day:
        raise PaquetError(
            f"The subscription {life.subscription} has no price on its first day",
            "Run `paquet books verify`: each subscription begins with a price.",
        )
    return known


def _in_force(known: list[tuple[date, Twelfths]], day: date) -> Twelfths:
    return known[bisect_right(known, day, key=lambda step: step[0]) - 1][1]


def _first_days(lives: Iterable[Life]) -> dict[str, date]:
    first: dict[str, date] = {}
    for life in lives:
        who = life.subscriber_reference
        first[who] = min(first.get(who, life.first_day), life.first_day)
    return first


def _movement(
    month: date, opening: Twelfths, opened: int, changes: Sequence[PaidChange]
) -> RecurringMovement:
    sums: Counter[str] = Counter()
    heads: Counter[str] = Counter()
    for change in changes:
        sums[change.kind] += change.by
        heads[change.kind] += 1
    moved = _running(opening, [sums[kind] for kind in KINDS])
    return RecurringMovement(
        month=month,
        opening=in_cents(opening),
        closing=in_cents(opening + sum(sums.values())),
        opened=opened,
        joined=heads["new"],
        returned=heads["reactivated"],
        left=heads["churned"],
        closed=opened + heads["new"] + heads["reactivated"] - heads["churned"],
        **dict(zip(KINDS, moved, strict=True)),
    )


def _running(start: Twelfths, parts: Iterable[Twelfths]) -> Iterator[Cents]:
    """Round the running total, not the parts: so the rounded parts add up."""
    total = start
    for part in parts:
        before, total = total, total + part
        yield in_cents(total) - in_cents(before)
