"""A journal that hledger reads, and at its end the balances that it must come to. Pure.

Source: the hledger manual, "Journal" (account and commodity directives, comments, assertions).
Hours are whole seconds, commodity SECOND. Text of people is only in descriptions: in a comment,
"date:" or a day in brackets would move a posting to another day.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from provision.formats.books import plaintext_names as names
from provision.formats.books.balances import trial_balance
from provision.formats.books.booked import check_entry
from provision.formats.books.plaintext import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provision.formats.books.balances import AccountBalance
    from provision.formats.books.booked import Booked, BookedLine
    from provision.money import Cents, Commodity

FORBIDDEN = ";"  # begins a comment
TYPES = MappingProxyType(
    {
        names.ASSETS: "A",
        names.LIABILITIES: "L",
        names.EQUITY: "E",
        names.EXPENSES: "X",
        names.INCOME: "R",
    }
)


def journal(title: str, entries: Sequence[Booked]) -> str:
    """Return the journal of all `entries`, in their order."""
    return "\n".join([*_lines(title, entries), ""])


def account_name(account: str) -> str:
    """Return what hledger calls an account of the French chart: '411' is 'assets:411'."""
    return f"{names.kind(account).lower()}:{account}"


def _lines(title: str, entries: Sequence[Booked]) -> Iterator[str]:
    balances = trial_balance(entries)
    yield f"; {one_line(title, FORBIDDEN)}"
    yield "decimal-mark ."
    yield from sorted({_declared(balance.commodity) for balance in balances})
    accounts = {balance.account for balance in balances}
    for account in sorted(accounts):
        yield f"account {account_name(account)}  ; type:{TYPES[names.kind(account)]}"
    for entry in entries:
        check_entry(entry)
        yield ""
        yield from _transaction(entry)
    if balances:
        yield ""
        yield from _assertions(max(entry.effective_on.isoformat() for entry in entries), balances)


def _declared(commodity: Commodity) -> str:
    """Return the directive: a number that shows decimal mark and places, and the symbol."""
    named = names.written(commodity)
    shown = f"1000.{'0' * named.decimals}"
    return f"commodity {shown} {_symbol(named.name)}"


def _transaction(entry: Booked) -> Iterator[str]:
    """Yield one transaction; its code stands before the text, which then has no mark to give."""
    words = one_line(f"{entry.piece} {entry.text}", FORBIDDEN)
    yield f"{entry.effective_on.isoformat()} * ({entry.number}) {entry.journal} {words}".rstrip()
    for line in entry.lines:
        yield _posting(line)


def _posting(line: BookedLine) -> str:
    party = f"  ; party:{line.party}" if line.party else ""
    return f"    {account_name(line.account)}  {_amount(line.units, line.commodity)}{party}"


def _assertions(day: str, balances: Sequence[AccountBalance]) -> Iterator[str]:
    """Yield a transaction of nothing, in which each balance is asserted to the last digit."""
    yield f"{day} * balances"
    for balance in balances:
        nothing, whole = _amount(0, balance.commodity), _amount(balance.units, balance.commodity)
        yield f"    {account_name(balance.account)}  {nothing} = {whole}"


def _amount(units: Cents, commodity: Commodity) -> str:
    named = names.written(commodity)
    return f"{names.number(units, named.decimals)} {_symbol(named.name)}"


def _symbol(name: str) -> str:
    """Quote what is not all letters: hledger would read its digits as part of the number."""
    return name if name.isalpha() else f'"{name}"'
