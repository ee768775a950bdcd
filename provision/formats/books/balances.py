"""The trial balance of a journal, added up in plain Python: the model of all other balances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provision.formats.books.booked import Booked
    from provision.money import Cents, Commodity


@dataclass(frozen=True)
class AccountBalance:
    """What was debited and credited to one account in one commodity, both zero or more."""

    account: str
    label: str
    commodity: Commodity
    debit: Cents
    credit: Cents

    @property
    def units(self) -> Cents:
        """Debit less credit: below zero for a debt or an income."""
        return self.debit - self.credit


def trial_balance(entries: Iterable[Booked]) -> tuple[AccountBalance, ...]:
    """Return the balances by account and commodity; the last label of an account is its label."""
    labels: dict[str, str] = {}
    commodities: dict[str, Commodity] = {}
    debits: dict[tuple[str, str], Cents] = {}
    credits_: dict[tuple[str, str], Cents] = {}
    for line in (line for entry in entries for line in entry.lines):
        place = (line.account, line.commodity.code)
        labels[line.account] = line.label
        commodities[line.commodity.code] = line.commodity
        debits[place] = debits.get(place, 0) + max(line.units, 0)
        credits_[place] = credits_.get(place, 0) + max(-line.units, 0)
    return tuple(
        AccountBalance(account, labels[account], commodities[code], debit, credits_[account, code])
        for (account, code), debit in sorted(debits.items())
    )
