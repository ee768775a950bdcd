"""A journal that Beancount reads, and at its end the balances that it must come to. Pure.

Source: the Beancount language syntax and "Precision & Tolerances". Hours are whole seconds,
commodity SECOND. Beancount forgives half of the last digit in a transaction and a whole one in a
balance: every amount here has all its digits, and every balance says `~ 0`, so nothing is forgiven.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from provision.formats.books import plaintext_names as names
from provision.formats.books.balances import trial_balance
from provision.formats.books.booked import check_entry
from provision.formats.books.plaintext import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from provision.formats.books.balances import AccountBalance
    from provision.formats.books.booked import Booked, BookedLine
    from provision.money import Commodity


def journal(title: str, entries: Sequence[Booked]) -> str:
    """Return the journal of all `entries`, in their order."""
    return "\n".join([*_lines(title, entries), ""])


def account_name(account: str) -> str:
    """Return what Beancount calls an account of the French chart: '411' is 'Assets:411'."""
    return f"{names.kind(account)}:{account}"


def _lines(title: str, entries: Sequence[Booked]) -> Iterator[str]:
    balances = trial_balance(entries)
    yield f"option {_quoted('title')} {_quoted(title)}"
    yield f"option {_quoted('operating_currency')} {_quoted('EUR')}"
    if not balances:
        return
    days = [entry.effective_on for entry in entries]
    yield from _declarations(min(days), balances)
    for entry in entries:
        check_entry(entry)
        yield ""
        yield from _transaction(entry)
    yield ""
    yield from _assertions(max(days) + timedelta(days=1), balances)


def _declarations(first_day: date, balances: Sequence[AccountBalance]) -> Iterator[str]:
    for name in sorted({names.written(balance.commodity).name for balance in balances}):
        yield f"{first_day.isoformat()} commodity {name}"
    labels = {balance.account: balance.label for balance in balances}
    for account, label in labels.items():
        yield f"{first_day.isoformat()} open {account_name(account)}"
        yield f"  label: {_quoted(label)}"


def _transaction(entry: Booked) -> Iterator[str]:
    yield f"{entry.effective_on.isoformat()} * {_quoted(entry.text)}"
    yield f"  number: {entry.number}"
    yield f"  journal: {_quoted(entry.journal)}"
    yield f"  piece: {_quoted(entry.piece)}"
    yield f"  piece-on: {entry.piece_on.isoformat()}"
    yield f"  recorded-on: {entry.recorded_on.isoformat()}"
    for line in entry.lines:
        yield from _posting(line)


def _posting(line: BookedLine) -> Iterator[str]:
    yield f"  {account_name(line.account)}  {_amount(line.units, line.commodity)}"
    if line.party:
        yield f"    party: {_quoted(line.party)}"
    if line.letter:
        yield f"    letter: {_quoted(line.letter)}"


def _assertions(day: date, balances: Sequence[AccountBalance]) -> Iterator[str]:
    """Yield the balances of the morning after the last entry, with no tolerance."""
    for balance in balances:
        named = names.written(balance.commodity)
        whole = names.number(balance.units, named.decimals)
        yield f"{day.isoformat()} balance {account_name(balance.account)}  {whole} ~ 0 {named.name}"


def _amount(units: int, commodity: Commodity) -> str:
    named = names.written(commodity)
    return f"{names.number(units, named.decimals)} {named.name}"


def _quoted(text: str) -> str:
    """Quote text: on one line, the two signs with a meaning inside of quotes escaped."""
    escaped = one_line(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
