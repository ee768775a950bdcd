"""How French accounts and our commodities are called in plain-text accounting. Pure.

The five kinds follow the balance sheet of the plan comptable général (ANC 2014-03); where a class
is on both sides, the account decides: the longest beginning that is listed wins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from provision.formats.books.booked import ExportRefused

if TYPE_CHECKING:
    from provision.money import Cents, Commodity

ASSETS, LIABILITIES, EQUITY = "Assets", "Liabilities", "Equity"
EXPENSES, INCOME = "Expenses", "Income"
LONGEST_PREFIX = 4
KINDS = MappingProxyType(
    {
        "1": EQUITY,
        **dict.fromkeys(("15", "16", "17", "19"), LIABILITIES),  # provisions, loans, funds
        "2": ASSETS,
        "3": ASSETS,
        "4": LIABILITIES,
        **dict.fromkeys(("409", "41", "425", "4287", "4387", "441", "4456", "4487"), ASSETS),
        **dict.fromkeys(("462", "465", "4687", "476", "481", "486", "49"), ASSETS),
        "419": LIABILITIES,
        "5": ASSETS,
        "519": LIABILITIES,  # overdrafts
        "6": EXPENSES,
        "7": INCOME,
        "8": EQUITY,  # memorandum: voluntary work, commitments
    }
)
HOURS = "HOUR"
SECONDS = "SECOND"  # hours are kept as whole seconds, and a third of an hour has no exact decimals
CODE = re.compile(r"[A-Z][A-Z0-9]{1,19}")


@dataclass(frozen=True)
class WrittenCommodity:
    """A commodity as a plain-text file names it, and how many decimals its numbers have."""

    name: str
    decimals: int


def kind(account: str) -> str:
    """Return the kind of an account of the French chart."""
    starts = (account[:length] for length in range(LONGEST_PREFIX, 0, -1))
    return next(KINDS[start] for start in starts if start in KINDS)


def written(commodity: Commodity) -> WrittenCommodity:
    """Return the name and decimals of a commodity; hours are written as seconds, which is exact."""
    if commodity.code == HOURS:
        return WrittenCommodity(SECONDS, 0)
    if not CODE.fullmatch(commodity.code) or commodity.code == SECONDS:
        raise ExportRefused(
            f"The commodity {commodity.code[:30]!r} cannot be named in a plain-text journal",
            "Its code is 2 to 20 capital letters and digits, and begins with a letter.",
        )
    return WrittenCommodity(commodity.code, commodity.decimals)


def number(units: Cents, decimals: int) -> str:
    """Write minor units with a decimal point and all decimals, nothing between thousands."""
    whole, minor = divmod(abs(units), 10**decimals)
    fraction = f".{minor:0{decimals}}" if decimals else ""
    return f"{'-' if units < 0 else ''}{whole}{fraction}"
