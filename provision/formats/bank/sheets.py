"""A CSV of a bank or of a provider: how it is written, its lines, what is in a column. Pure."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from provision.formats.bank import fields
from provision.formats.bank.statements import StatementRefused
from provision.strict import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from provision.money import Cents

MOST_COLUMNS, MOST_SKIPPED = 100, 100
# Between groups of three digits; the decimal mark itself is never one of them.
GROUPS = " \u00a0\u202f'"
# What may stand behind a day: it is not read.
TIME = r"(?:[T ,]+\d{1,2}[:hH]\d{2}(?::\d{2})?(?:\.\d+)?(?: ?(?:UTC|Z|[+-]\d{2}:?\d{2}))?)?"
MISTAKE = "Compare the mapping file with the first lines of the CSV."

Column = Annotated[int, Field(ge=1, le=MOST_COLUMNS)] | Annotated[str, Field(min_length=1)]


class SkipRule(Table):
    """Lines that do not count: those whose column has one of the values, such as "declined"."""

    column: Column
    values: tuple[str, ...] = Field(min_length=1, max_length=20, strict=False)


class Sheet(Table):
    """How a CSV is written, whatever its columns hold."""

    encoding: Literal["utf-8", "cp1252", "iso-8859-15"] = "utf-8"
    separator: Literal[";", ",", "\t", "|"] = ";"
    decimal: Literal[",", "."] = ","
    date: Literal[
        "dd/mm/yyyy", "dd/mm/yy", "dd-mm-yyyy", "dd.mm.yyyy", "yyyy-mm-dd", "yyyymmdd", "mm/dd/yyyy"
    ] = "dd/mm/yyyy"
    skip: int = Field(default=0, ge=0, le=MOST_SKIPPED)
    header: bool = True
    leave_out: tuple[SkipRule, ...] = Field(default=(), max_length=10, strict=False)


@dataclass(frozen=True)
class SheetRow:
    """One line: its number in the file, and its cells by the name and by the number of a column."""

    number: int
    cells: Mapping[Column, str]
    sheet: Sheet

    def cell(self, column: Column | None) -> str:
        """Return what stands in the column, '' where there is none."""
        return "" if column is None else self.cells.get(column, "").strip()

    def amount(self, column: Column | None) -> Cents:
        """Read '-1 234,50 €': groups of three digits may be parted by a space or the other mark."""
        decimal = self.sheet.decimal
        other = "." if decimal == "," else ","
        bare = re.sub(r"\s*(?:€|EUR)$", "", self.cell(column).replace("\u2212", "-"))
        if re.fullmatch(
            rf"[+-]?\s?\d{{1,3}}(?:[{GROUPS}{other}]\d{{3}})+(?:{re.escape(decimal)}\d*)?", bare
        ):
            bare = re.sub(rf"[{GROUPS}{other}]", "", bare)
        try:
            return fields.cents(bare, "amount", marks=decimal)
        except StatementRefused as refused:
            raise StatementRefused(
                f"Line {self.number} of the CSV file: {refused.message}", MISTAKE
            ) from None

    def day(self, column: Column | None) -> date:
        """Read the day that stands in the column."""
        written, pattern = self.cell(column), re.escape(self.sheet.date)
        for letters, name in (("yyyy", "year"), ("yy", "year"), ("mm", "month"), ("dd", "day")):
            if f"<{name}>" not in pattern:
                pattern = pattern.replace(letters, rf"(?P<{name}>\d{{{len(letters)}}})")
        match = re.fullmatch(pattern + TIME, written, re.ASCII)
        if not match:
            raise StatementRefused(
                f"The day {fields.shown(written)} of the CSV file is not written {self.sheet.date}",
                MISTAKE,
            )
        return fields.day_of(match["year"], match["month"], match["day"], "day of a movement")


def rows(content: bytes, sheet: Sheet, needed: Iterable[Column]) -> list[SheetRow]:
    """Return the lines that count; each has as many cells as the first.

    Raises StatementRefused when there is none, or not exactly one of each `needed` column.
    """
    lines = [
        line for line in _lines(_text(content, sheet.encoding), sheet, needed) if _counts(line)
    ]
    if not lines:
        raise StatementRefused("The CSV file holds no movement", MISTAKE)
    return lines


def _text(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise StatementRefused(
            f"The CSV file is not written in {encoding}", "Change `encoding` in the mapping file."
        ) from None


def _lines(text: str, sheet: Sheet, needed: Iterable[Column]) -> list[SheetRow]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sheet.separator, strict=True)
    try:
        lines = [(reader.line_num, cells) for cells in reader]
    except csv.Error as wrong:
        raise StatementRefused(f"Line {reader.line_num} of the CSV file: {wrong}") from None
    lines = [(at, cells) for at, cells in lines[sheet.skip :] if any(map(str.strip, cells))]
    header = [cell.strip() for cell in lines[0][1]] if lines and sheet.header else []
    lines = lines[1:] if sheet.header else lines
    if not lines:
        raise StatementRefused("The CSV file holds no movement", MISTAKE)
    width = len(header or lines[0][1])
    _check_columns(header, width, (*needed, *(rule.column for rule in sheet.leave_out)))
    for at, cells in lines:
        if len(cells) != width:
            raise StatementRefused(
                f"Line {at} of the CSV file has {len(cells)} columns instead of {width}", MISTAKE
            )
    return [SheetRow(at, _cells(header, cells), sheet) for at, cells in lines]


def _cells(header: list[str], cells: list[str]) -> dict[Column, str]:
    return dict(enumerate(cells, start=1)) | dict(zip(header, cells, strict=False))


def _counts(row: SheetRow) -> bool:
    """Tell whether no rule of the mapping leaves the line out."""
    return not any(
        row.cell(rule.column).casefold() in {value.casefold() for value in rule.values}
        for rule in row.sheet.leave_out
    )


def _check_columns(header: list[str], width: int, needed: Iterable[Column]) -> None:
    for column in needed:
        count = header.count(column) if isinstance(column, str) else int(column <= width)
        if count != 1:
            raise StatementRefused(
                f"The CSV file has {count} columns {fields.shown(str(column))}", MISTAKE
            )
