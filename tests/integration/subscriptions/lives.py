"""A life of a subscriber in plain Python: no table is asked, nothing of ours is called."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass
class Life:
    """What the model knows of one subscriber: prices by day, and sums. No table is asked."""

    subscription: int
    subscriber: int
    party: str
    anchor: date
    by_debit: bool
    prices: list[tuple[date, int]]
    billed_to: date
    last_day: date | None = None
    credited: int = 0
    paid: int = 0

    def bill(self, day: date) -> None:
        """Ask for all that began by `day`: to the end of its term, or to the next change."""
        while self.billed_to <= day and (self.last_day is None or self.billed_to <= self.last_day):
            ends = [_term(self.anchor, self.billed_to)[1]]
            ends += [changed for changed, _ in self.prices if changed > self.billed_to]
            self.billed_to = min(ends)

    def owes(self) -> int:
        """Return all that was asked for, less what was given back."""
        end = self.billed_to
        if self.last_day is not None:
            end = min(end, self.last_day + timedelta(days=1))
        total, day = 0, self.anchor
        while day < end:
            starts, until = _term(self.anchor, day)
            changes_inside = [one for one, _ in self.prices if day < one < until]
            piece_end = min([until, end, *changes_inside])
            price = [cents for one, cents in self.prices if one <= day][-1]
            days = (until - starts).days
            total += _due(price, (piece_end - starts).days, days)
            total -= _due(price, (day - starts).days, days)
            day = piece_end
        return total - self.credited


def _term(anchor: date, day: date) -> tuple[date, date]:
    number = 0
    while months_later(anchor, number + 1) <= day:
        number += 1
    return months_later(anchor, number), months_later(anchor, number + 1)


def _due(price: int, so_far: int, days: int) -> int:
    return (2 * price * so_far + days) // (2 * days)


def months_later(anchor: date, months: int) -> date:
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    for day in range(anchor.day, 0, -1):
        try:
            return date(year, month + 1, day)
        except ValueError:
            continue
    raise AssertionError
