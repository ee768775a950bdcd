"""What every export is made of: the entries of one organisation's journal, checked once. Pure."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.money import EUR, Amount, show

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from provision.money import Cents, Commodity

JOURNALS = frozenset({"VT", "AC", "BQ", "OD", "AN"})  # sales, purchases, bank, others, openings
FEWEST_LINES = 2
OPENING_JOURNAL = "AN"
ACCOUNT = re.compile(r"[1-8][0-9]{2,15}")  # the classes of the plan comptable général
# Parties, and what waits for a bank to show it.
PARTY = re.compile(
    r"(?:organisation|fund|debt)-[0-9]{1,18}|person-[0-9a-f]{24}"
    r"|receipt-[A-Z]{1,4}[0-9]{4}-[0-9]{6,9}|cheque-[A-Z0-9-]{1,30}|gift(?:-[0-9]{1,18}){3}"
    r"|payout-[a-z][a-z0-9]{1,19}-[A-Za-z0-9][A-Za-z0-9._-]{0,79}"
)
CURRENCY = re.compile(r"[A-Z]{3}")
LETTER = re.compile(r"[A-Z]{1,8}")


class ExportRefused(PaquetError):
    """A journal that cannot be exported as it is."""


@dataclass(frozen=True)
class BookedLine:
    """One line of an entry; `units` are minor units, debit above zero, credit below.

    `account` is a number of the French chart, `party` '' or a reference without a name, `letter`
    what the line is matched under since `lettered_on`; `foreign` is what a line in euros was
    originally counted in, with the same sign.
    """

    account: str
    label: str
    party: str
    party_label: str
    commodity: Commodity
    units: Cents
    letter: str = ""
    lettered_on: date | None = None
    foreign: Amount | None = None


@dataclass(frozen=True)
class Booked:
    """One entry: `number` in its organisation's journal, `recorded_on` the day of validation."""

    number: int
    journal: str
    effective_on: date
    recorded_on: date
    piece: str
    piece_on: date
    text: str
    lines: tuple[BookedLine, ...]


def check_entry(entry: Booked) -> None:
    """Raise ExportRefused unless journal and lines are sound, and the lines balance."""
    where = f"The entry {entry.number}"
    if entry.journal not in JOURNALS:
        raise ExportRefused(
            f"{where} is in a journal that is not known: {entry.journal[:20]!r}",
            f"Known are {', '.join(sorted(JOURNALS))}.",
        )
    if len(entry.lines) < FEWEST_LINES:
        raise ExportRefused(f"{where} has fewer than two lines")
    check_lines(where, entry.lines)


def check_lines(where: str, lines: Sequence[BookedLine]) -> None:
    """Raise ExportRefused unless each line is sound and they balance in each commodity."""
    sums: Counter[Commodity] = Counter()
    for line in lines:
        _check_line(where, line)
        sums[line.commodity] += line.units
    for commodity, units in sums.items():
        if units:
            raise ExportRefused(
                f"{where} does not balance: {show(Amount(commodity, units), 'en')} is left",
                "Look at it with `paquet books verify` before anything is exported.",
            )


def _check_line(where: str, line: BookedLine) -> None:
    if not ACCOUNT.fullmatch(line.account):
        raise ExportRefused(
            f"{where} uses {line.account[:20]!r}, which is no account of the French chart",
            "An account is three digits or more and begins with its class, 1 to 8.",
        )
    if line.party and not PARTY.fullmatch(line.party):
        raise ExportRefused(f"{where} names a party that is no reference: {line.party[:40]!r}")
    if type(line.units) is not int or not line.units:
        raise ExportRefused(f"{where} has a line on {line.account} that is not a whole amount")
    if bool(line.letter) != (line.lettered_on is not None):
        raise ExportRefused(f"{where} has a letter without its day, or a day without its letter")
    if line.letter and not LETTER.fullmatch(line.letter):
        raise ExportRefused(f"{where} is matched under {line.letter[:20]!r}, which is no letter")
    _check_currency(where, line)


def _check_currency(where: str, line: BookedLine) -> None:
    """Refuse euros without cents, and a foreign amount that is no currency or on the other side."""
    in_euros = line.commodity.code == EUR.code
    if in_euros and line.commodity != EUR:
        raise ExportRefused(f"{where} counts euros in something else than cents")
    if line.foreign is None:
        return
    if not in_euros or not CURRENCY.fullmatch(line.foreign.commodity.code):
        raise ExportRefused(f"{where} has a line on {line.account} in two odd currencies")
    if line.foreign.units * line.units <= 0:
        raise ExportRefused(f"{where} has a line on {line.account} with two different signs")
