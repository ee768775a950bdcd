"""What a bank writes into one field, read strictly: an amount, a day, an account, a text. Pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from schwifty import IBAN
from schwifty.exceptions import SchwiftyException

from provision.days import sensible_day
from provision.formats.bank.statements import StatementRefused
from provision.money import MOST_DIGITS

if TYPE_CHECKING:
    from provision.money import Cents

LONGEST_TEXT = 2000
LONGEST_SHOWN = 40
RIB = re.compile(r"(\d{5})(\d{5})([0-9A-Z]{11})(\d{2})?")
# Letters of a RIB count as digits: A and J are 1, B, K and S are 2 (Banque de France, clé RIB).
RIB_DIGITS = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "12345678912345678923456789")
UNREADABLE = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"}


def cents(written: str, what: str, *, marks: str = ".", zeros: bool = False) -> Cents:
    """Read '12', '-12.5' or '12,50' (a decimal mark out of `marks`) as signed cents.

    More than two decimals are refused, unless `zeros` allows that they are only zeros
    (ISO 20022 may write five). Thousands separators, exponents and spaces are refused.
    """
    match = re.fullmatch(rf"([+-]?)(\d*)(?:[{marks}](\d*))?", written.strip(), re.ASCII)
    whole, decimals = (match[2] or "", match[3] or "") if match else ("", "")
    short = decimals.rstrip("0") if zeros else decimals
    if not match or not whole + decimals or len(short) > 2:  # noqa: PLR2004 # cents
        raise StatementRefused(f"The {what} {shown(written)} is not an amount in euros")
    whole = whole.lstrip("0")
    if len(whole) > MOST_DIGITS:
        raise StatementRefused(f"The {what} {shown(written)} has more than {MOST_DIGITS} digits")
    units = int(whole or "0") * 100 + int(short.ljust(2, "0"))
    return -units if match[1] == "-" else units


def check_currency(code: str) -> None:
    """Refuse every currency but the euro."""
    if code != "EUR":
        raise StatementRefused(
            f"The statement is in {shown(code)}, and only euros are kept here",
            "Export the account in euros by itself.",
        )


def day(digits: str, what: str) -> date:
    """Read 'YYYYMMDD' or 'YYYY-MM-DD' (what follows, a time or a zone, is not read)."""
    match = re.match(r"(\d{4})-(\d\d)-(\d\d)|(\d{4})(\d\d)(\d\d)", digits, re.ASCII)
    if not match:
        raise StatementRefused(f"The {what} {shown(digits)} is not a day")
    return day_of(match[1] or match[4], match[2] or match[5], match[3] or match[6], what)


def day_of(year: str, month: str, number: str, what: str) -> date:
    """Return the day that is written in three pieces; a year of two digits is of this century."""
    try:
        calendar_day = date(int(year if year[2:] else f"20{year}"), int(month), int(number))
    except ValueError:
        raise StatementRefused(
            f"The {what} {shown(f'{year}-{month}-{number}')} is not a day"
        ) from None
    return sensible_day(calendar_day, f"the {what}")


def account(written: str) -> str:
    """Return the IBAN that is written as an IBAN or as a French RIB (with or without its key)."""
    compact = re.sub(r"\s", "", written).upper()
    rib = RIB.fullmatch(compact)
    account_iban = _iban_of_rib(rib) if rib else iban(compact) or iban(compact.removesuffix("EUR"))
    if not account_iban:
        raise StatementRefused(
            f"The account {shown(written)} is neither an IBAN nor a French RIB",
            "Compare it with the account details that the bank gives.",
        )
    return account_iban


@lru_cache(maxsize=10_000)
def iban(written: str) -> str:
    """Return the IBAN in its short form, or '' where it is none: banks mask those of others."""
    try:
        return str(IBAN(re.sub(r"\s", "", written).upper()).compact)
    except SchwiftyException:
        return ""


def _iban_of_rib(rib: re.Match[str]) -> str:
    """Given bank, branch and number, return the IBAN; '' where a written key is wrong.

    The key of a RIB is 97 - (89 bank + 15 branch + 3 number) mod 97, the two digits of an IBAN are
    98 - (BBAN followed by FR00 as digits) mod 97 (ISO 13616).
    """
    bank, branch, number, written = rib.groups()
    worth = 89 * int(bank) + 15 * int(branch) + 3 * int(number.translate(RIB_DIGITS))
    key = f"{97 - worth % 97:02d}"
    if written not in (None, key):
        return ""
    bban = f"{bank}{branch}{number}{key}"
    digits = "".join(str(int(letter, 36)) for letter in f"{bban}FR00")
    return f"FR{98 - int(digits) % 97:02d}{bban}"


def text(*written: str | None) -> str:
    """Join what a bank wrote into one readable line: NFC, single spaces, nothing invisible."""
    line = unicodedata.normalize("NFC", " ".join(piece for piece in written if piece))
    if not line.isprintable():
        line = "".join(
            " " if unicodedata.category(character) in UNREADABLE else character
            for character in line
        )
    return " ".join(line.split())[:LONGEST_TEXT]


def reference(written: str | None) -> str:
    """Return an identifier of the bank or of a payer; '' where it says that there is none."""
    identifier = text(written)
    return "" if identifier.upper() in {"NOTPROVIDED", "NONREF", "NONE"} else identifier


def shown(written: str) -> str:
    """Quote what a file holds so that a terminal or a log cannot be fooled by it."""
    cut = written if len(written) <= LONGEST_SHOWN else written[:LONGEST_SHOWN] + "…"
    return f"“{text(cut)}”"
