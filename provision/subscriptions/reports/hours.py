"""Time given: counted in seconds, shown in hours, never added to euros."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from provision.errors import UsageRefused
from provision.money import half_up, show_euros
from provision.subscriptions.reports.months import month_of
from provision.subscriptions.reports.ratios import ratio

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from provision.money import Cents
    from provision.subscriptions.reports.facts import Given

SECONDS_OF_AN_HOUR = 3600
LOWEST_RATE, HIGHEST_RATE = 3000, 4500  # cents an hour before tax, for work on commons
COMMONS_MARK = Fraction(30, 100)  # from here on a cooperative found that clients went elsewhere


@dataclass(frozen=True)
class HoursGiven:
    """Seconds given to an organisation by so many persons, and those of them for the commons."""

    organisation: str
    persons: int
    seconds: int
    commons_seconds: int

    @property
    def other_seconds(self) -> int:
        """Time for anything else."""
        return self.seconds - self.commons_seconds

    @property
    def commons_share(self) -> Fraction | None:
        """Time for the commons / all time; None without any."""
        return ratio(self.commons_seconds, self.seconds)

    @property
    def past_the_mark(self) -> bool:
        """Whether so much goes to the commons that paid work may suffer: 30 % or more."""
        return self.commons_share is not None and self.commons_share >= COMMONS_MARK


@dataclass(frozen=True)
class Valuation:
    """What the time would have cost at an hourly rate on a day; it is no income and no cost."""

    on: date
    hourly_cents: Cents
    seconds: int
    cents: Cents


def time_given(given: Iterable[Given], months: Sequence[date]) -> tuple[HoursGiven, ...]:
    """Return the time of each organisation in these months, the most first."""
    seconds: Counter[str] = Counter()
    commons: Counter[str] = Counter()
    persons: dict[str, set[str]] = {}
    for gift in given:
        if month_of(gift.day) in months:
            seconds[gift.organisation] += gift.seconds
            commons[gift.organisation] += gift.seconds if gift.commons else 0
            persons.setdefault(gift.organisation, set()).add(gift.person_reference)
    return tuple(
        HoursGiven(name, len(persons[name]), total, commons[name])
        for name, total in sorted(seconds.items(), key=lambda item: (-item[1], item[0]))
    )


def value(seconds: int, hourly_cents: Cents, on: date) -> Valuation:
    """Return seconds × rate / 3 600, rounded half up; the rate must be 30 to 45 € an hour."""
    if not LOWEST_RATE <= hourly_cents <= HIGHEST_RATE:
        raise UsageRefused(
            f"{show_euros(hourly_cents)} an hour is outside what such time is valued at",
            f"Give {show_euros(LOWEST_RATE)} to {show_euros(HIGHEST_RATE)}.",
        )
    cents = half_up(seconds * hourly_cents, SECONDS_OF_AN_HOUR)
    return Valuation(on, hourly_cents, seconds, cents)
