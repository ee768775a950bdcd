"""What each line of a FEC must hold, whatever the other lines say. Used by `fec_check` only.

Sources: article A47 A-1 of the livre des procédures fiscales, VII 1° (fields) and XII (coding);
the NOT NULL columns and the alerts of the DGFiP's Test-Compta-Demat.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = [
    *("JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib"),
    *("CompAuxNum", "CompAuxLib", "PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit"),
    *("EcritureLet", "DateLet", "ValidDate", "Montantdevise", "Idevise"),
]
BOTH_OR_NONE = {
    "lettering": ("EcritureLet", "DateLet"),
    "currency": ("Montantdevise", "Idevise"),
    "third party": ("CompAuxNum", "CompAuxLib"),
}
REQUIRED = [name for name in HEADER if not any(name in pair for pair in BOTH_OR_NONE.values())]
DATES = ("EcritureDate", "PieceDate", "DateLet", "ValidDate")
AMOUNTS = ("Debit", "Credit")
ACCOUNT = re.compile(r"[1-8][0-9]{2}")
AMOUNT = re.compile(r"-?[0-9]{1,15}(?:,[0-9]{1,2})?")
FOREIGN = re.compile(r"-?[0-9]{1,15}(?:,[0-9]{1,9})?")
DAY = re.compile("[0-9]{8}")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
FIRST_YEAR, LAST_YEAR = 1900, 2099  # outside of these the DGFiP's program raises an alert


@dataclass(frozen=True)
class Mistake:
    """What is wrong: the line of the file (1 is the header, 0 the whole), its field, the rule."""

    line: int
    field: str
    rule: str
    sentence: str


@dataclass(frozen=True)
class FecRow:
    """One line: its place in the file, its fields by name, its amounts in cents (0 if unread)."""

    line: int
    fields: dict[str, str]
    debit: int
    credit: int


def read_row(line: int, values: list[str]) -> FecRow:
    """Return the line whose eighteen fields are `values`."""
    fields = dict(zip(HEADER, values, strict=True))
    return FecRow(line, fields, _cents(fields["Debit"]), _cents(fields["Credit"]))


def check_row(row: FecRow) -> Iterator[Mistake]:
    """Yield what is wrong in this line alone."""
    yield from _filled(row)
    yield from _dates(row)
    yield from _account(row)
    yield from _amounts(row)
    yield from _pairs(row)


@lru_cache(maxsize=4096)
def real_day(text: str) -> date | None:
    """Return the day written AAAAMMJJ, or None if it is not one of these two centuries."""
    if not DAY.fullmatch(text):
        return None
    try:
        day = date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


def _filled(row: FecRow) -> Iterator[Mistake]:
    for name in REQUIRED:
        if not row.fields[name].strip(" "):
            yield Mistake(row.line, name, "missing", f"{name} is empty")
    if CONTROL.search("".join(row.fields.values())):
        for name, value in row.fields.items():
            if CONTROL.search(value):
                yield Mistake(row.line, name, "text", f"{name} holds a control character")


def _dates(row: FecRow) -> Iterator[Mistake]:
    for name in DATES:
        value = row.fields[name]
        if value and real_day(value) is None:
            yield Mistake(row.line, name, "date", f"{name} is not a day written AAAAMMJJ")


def _account(row: FecRow) -> Iterator[Mistake]:
    if not ACCOUNT.match(row.fields["CompteNum"]):
        sentence = "CompteNum does not begin with three digits of the French chart"
        yield Mistake(row.line, "CompteNum", "account", sentence)


def _amounts(row: FecRow) -> Iterator[Mistake]:
    for name in AMOUNTS:
        value = row.fields[name]
        if value and not AMOUNT.fullmatch(value):
            sentence = f"{name} is not a number with a decimal comma and nothing between thousands"
            yield Mistake(row.line, name, "amount", sentence)
        elif value.startswith("-"):
            yield Mistake(row.line, name, "negative", f"{name} is below zero")
    if row.debit and row.credit:
        yield Mistake(row.line, "Credit", "one side", "Debit and Credit both hold an amount")
    if not row.debit and not row.credit:
        yield Mistake(row.line, "Debit", "one side", "neither Debit nor Credit holds an amount")
    if row.fields["Montantdevise"] and not FOREIGN.fullmatch(row.fields["Montantdevise"]):
        sentence = "Montantdevise is not a number with a decimal comma"
        yield Mistake(row.line, "Montantdevise", "amount", sentence)


def _pairs(row: FecRow) -> Iterator[Mistake]:
    for rule, (first, second) in BOTH_OR_NONE.items():
        if bool(row.fields[first]) != bool(row.fields[second]):
            there, absent = (first, second) if row.fields[first] else (second, first)
            yield Mistake(row.line, absent, rule, f"{there} is there without {absent}")


def _cents(written: str) -> int:
    """Return the cents of '12', '12,5' or '12,50'; 0 for what is no amount."""
    if not AMOUNT.fullmatch(written):
        return 0
    whole, _, decimals = written.lstrip("-").partition(",")
    cents = int(whole) * 100 + int(decimals.ljust(2, "0"))
    return -cents if written.startswith("-") else cents
