"""CFONB 120: the French bank statement of lines of 120 characters.

Source: CFONB, « Relevé de compte sur support informatique », July 2004, and the qualifiers of its
evolution for SEPA payments of August 2007. Places (counted from 1) that every record has: 1-2 its
kind (01 old balance, 04 movement, 05 complement, 07 new balance), 3-7 bank, 12-16 branch,
17-19 currency, 20 decimals, 22-32 account, 35-40 day as DDMMYY. The last character of an amount
holds its last digit and its sign: {A…I are 0…9 above zero, }J…R below (the bank's view is ours:
above zero is money on the account). Spaces at the end of a line may be cut off. Some banks leave
currency and decimals empty on balances, or everywhere: it is euros and cents then.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.formats.bank import fields
from provision.formats.bank.statements import Detail, Movement, Statement, StatementRefused
from provision.money import MOST_DIGITS

if TYPE_CHECKING:
    from datetime import date

    from provision.money import Cents

WIDTH, AMOUNT_END, QUALIFIER_END = 120, 104, 48
OLD, MOVEMENT, COMPLEMENT, NEW = "01", "04", "05", "07"
LAST_DIGIT = {letter: (digit, 1) for digit, letter in enumerate("{ABCDEFGHI")} | {
    letter: (digit, -1) for digit, letter in enumerate("}JKLMNOPQR")
}
# Qualifiers of name and account: of the payer, and of the payee.
PAYER, PAYEE = ("NPY", "CPY"), ("NBE", "CBE")
REASON = re.compile(r"[A-Z]{2}[0-9A-Z]{2}")


@dataclass
class Page:
    """The records of one statement: both balances, and each movement with its complements."""

    old: str
    new: str
    movements: list[tuple[str, list[str]]]


def read(text: str) -> tuple[Statement, ...]:
    """Return the statements of the file in their order, or raise StatementRefused."""
    return tuple(_statement(page) for page in _pages(_lines(text)))


def _lines(text: str) -> list[str]:
    """Return the records at their full width; a file without line ends is cut every 120 places."""
    if "\n" not in text and "\r" not in text and not len(text) % WIDTH:
        pieces = [text[at : at + WIDTH] for at in range(0, len(text), WIDTH)]
    else:
        pieces = [line for line in re.split(r"\r\n|\r|\n", text) if line.strip("\x1a ")]
    for number, line in enumerate(pieces, start=1):
        least = QUALIFIER_END if line[:2] == COMPLEMENT else AMOUNT_END
        if not least <= len(line) <= WIDTH:
            raise StatementRefused(
                f"Line {number} of the CFONB file has {len(line)} characters instead of {WIDTH}",
                "The file may be cut: download it from the bank once more.",
            )
    return [line.ljust(WIDTH) for line in pieces]


def _pages(lines: list[str]) -> list[Page]:
    """Sort the records into statements; each opens with 01 and closes with 07."""
    pages: list[Page] = []
    for number, line in enumerate(lines, start=1):
        kind, is_open = line[:2], bool(pages) and not pages[-1].new
        if kind == OLD and not is_open:
            pages.append(Page(old=line, new="", movements=[]))
        elif kind == MOVEMENT and is_open:
            pages[-1].movements.append((line, []))
        elif kind == COMPLEMENT and is_open and pages[-1].movements:
            pages[-1].movements[-1][1].append(line)
        elif kind == NEW and is_open:
            pages[-1].new = line
        else:
            raise StatementRefused(
                f"Line {number} of the CFONB file, of kind {fields.shown(kind)}, is out of place"
            )
    if not pages or not pages[-1].new:
        raise StatementRefused("The CFONB file ends before its new balance (07)")
    return pages


def _statement(page: Page) -> Statement:
    account = _account(page.old)
    for line in (page.new, *(line for line, _ in page.movements)):
        if _owner(line) != _owner(page.old):
            raise StatementRefused("A CFONB statement names two accounts")
    return Statement(
        account=account,
        number="",
        opened_on=_day(page.old, 35),
        closed_on=_day(page.new, 35),
        opening=_units(page.old),
        closing=_units(page.new),
        movements=tuple(_movement(line, complements) for line, complements in page.movements),
    )


def _account(line: str) -> str:
    return fields.account(line[2:7] + line[11:16] + line[21:32])


def _owner(line: str) -> str:
    """Return bank and account, which all records of a statement share; all are in euros."""
    fields.check_currency(line[16:19].strip() or "EUR")
    return line[2:7] + line[21:32]


def _day(line: str, place: int) -> date:
    digits = line[place - 1 : place + 5]
    if not re.fullmatch(r"\d{6}", digits, re.ASCII):
        raise StatementRefused(f"The day {fields.shown(digits)} of a CFONB record is none")
    return fields.day_of(digits[4:], digits[2:4], digits[:2], "day of a CFONB record")


def _units(line: str) -> Cents:
    """Read places 91 to 104 with the decimals of place 20; more than two must be zeros."""
    digits, last, decimals = line[90:103], line[103], line[19].strip() or "2"
    if (
        not re.fullmatch(r" *\d*", digits, re.ASCII)
        or last not in LAST_DIGIT
        or decimals not in "0123"
    ):
        raise StatementRefused(f"The amount {fields.shown(line[90:104])} of a CFONB record is none")
    digit, sign = LAST_DIGIT[last]
    thousandths: int = int(f"{digits.strip()}{digit}") * 10 ** (3 - int(decimals))
    if thousandths % 10 or thousandths >= 10 ** (MOST_DIGITS + 3):
        raise StatementRefused(f"The amount {fields.shown(line[90:104])} of a CFONB record is none")
    return sign * (thousandths // 10)


def _movement(line: str, complements: list[str]) -> Movement:
    said = _said(line, complements)
    units, rejection = _units(line), line[40:42].strip()
    label = fields.text(line[48:79], *(said.get(key) for key in ("LIB", "LCC", "LC2", "LCS")))
    reason = said.get("RET", "")[:4]
    reason = reason if REASON.fullmatch(reason) else ""
    is_return = bool(rejection or reason)
    name_key, account_key = PAYER if (units >= 0) != is_return else PAYEE
    name = fields.text(said.get(name_key))
    iban = fields.iban(said.get(account_key, "")[:34].strip())
    end_to_end = fields.reference(said.get("RCN", "")[:35])
    text = fields.text(label, said.get("RCN", "")[35:], said.get("REF"))
    mandate = fields.reference(said.get("RUM", "")[:35])
    return Movement(
        booked_on=_day(line, 35),
        value_on=_day(line, 43) if line[42:48].strip("0 ") else None,
        units=units,
        reference=fields.reference(line[104:120]) or fields.reference(line[81:88].strip("0 ")),
        text=text,
        counterparty=name,
        iban=iban,
        end_to_end=end_to_end,
        reason=reason,
        code=fields.text(f"{line[32:34]} {rejection}"),
        reversal=is_return,
        details=(Detail(units, end_to_end, mandate, name, iban, text, reason),),
    )


def _said(line: str, complements: list[str]) -> dict[str, str]:
    """Return the 70 characters of each qualifier; one that comes again continues the first."""
    said: dict[str, str] = {}
    for complement in complements:
        if _owner(complement) != _owner(line):
            raise StatementRefused("A complement (05) of the CFONB file is of another movement")
        qualifier = complement[45:48]
        said[qualifier] = f"{said.get(qualifier, '')}{complement[48:118]}"
    return said
