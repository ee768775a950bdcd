"""A bank's CSV, read by the mapping that a person wrote for it (`mappings`)."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from provision.formats.bank import fields
from provision.formats.bank.statements import Movement, Statement, StatementRefused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from provision.formats.bank.mappings import Column, CsvMapping
    from provision.money import Cents

# Between groups of three digits; the decimal mark itself is never one of them.
GROUPS = " \u00a0\u202f'"
# What may stand behind a day: it is not read.
TIME = r"(?:[T ,]+\d{1,2}[:hH]\d{2}(?::\d{2})?(?:\.\d+)?(?: ?(?:UTC|Z|[+-]\d{2}:?\d{2}))?)?"
MISTAKE = "Compare the mapping file with the first lines of the CSV."


@dataclass(frozen=True)
class TableRow:
    """One line: its number in the file, and its cells by the name and by the number of a column."""

    number: int
    cells: Mapping[Column, str]

    def cell(self, column: Column | None) -> str:
        """Return what stands in the column, '' where the mapping names none."""
        return "" if column is None else self.cells[column].strip()


def read(content: bytes, mapping: CsvMapping) -> tuple[Statement, ...]:
    """Return the one statement of the file, oldest movement first, or raise StatementRefused."""
    rows = [
        table_row
        for table_row in _rows(_text(content, mapping.encoding), mapping)
        if _counts(table_row, mapping)
    ]
    if not rows:
        raise StatementRefused("The CSV file holds no movement", MISTAKE)
    movements = [_movement(row, mapping) for row in rows]
    balances = [_balance(row, mapping) for row in rows if mapping.columns.balance is not None]
    if mapping.balances:
        oldest_first = movements[0].booked_on <= movements[-1].booked_on
        opening, closing = mapping.balances.opening, mapping.balances.closing
    else:
        oldest_first = _is_oldest_first(movements, balances)
        ends = balances if oldest_first else balances[::-1]
        first = movements[0 if oldest_first else -1]
        opening, closing = ends[0] - first.units, ends[-1]
    days = [movement.booked_on for movement in movements]
    return (
        Statement(
            account=mapping.account,
            number="",
            opened_on=min(days),
            closed_on=max(days),
            opening=opening,
            closing=closing,
            movements=tuple(movements if oldest_first else movements[::-1]),
        ),
    )


def _text(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise StatementRefused(
            f"The CSV file is not written in {encoding}", "Change `encoding` in the mapping file."
        ) from None


def _rows(text: str, mapping: CsvMapping) -> list[TableRow]:
    """Return the lines after the header; each has as many cells as the first."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mapping.separator, strict=True)
    try:
        lines = [(reader.line_num, cells) for cells in reader]
    except csv.Error as wrong:
        raise StatementRefused(f"Line {reader.line_num} of the CSV file: {wrong}") from None
    lines = [(at, cells) for at, cells in lines[mapping.skip :] if any(map(str.strip, cells))]
    header = [cell.strip() for cell in lines[0][1]] if lines and mapping.header else []
    lines = lines[1:] if mapping.header else lines
    if not lines:
        raise StatementRefused("The CSV file holds no movement", MISTAKE)
    width = len(header or lines[0][1])
    _check_columns(header, width, mapping)
    for at, cells in lines:
        if len(cells) != width:
            raise StatementRefused(
                f"Line {at} of the CSV file has {len(cells)} columns instead of {width}", MISTAKE
            )
    return [
        TableRow(at, dict(enumerate(cells, start=1)) | dict(zip(header, cells, strict=False)))
        for at, cells in lines
    ]


def _counts(row: TableRow, mapping: CsvMapping) -> bool:
    """Tell whether no rule of the mapping leaves the line out."""
    return not any(
        row.cell(rule.column).casefold() in {value.casefold() for value in rule.values}
        for rule in mapping.leave_out
    )


def _check_columns(header: list[str], width: int, mapping: CsvMapping) -> None:
    named = [column for _, column in mapping.columns if isinstance(column, str | int)]
    ruled = [rule.column for rule in mapping.leave_out]
    for column in (*named, *mapping.columns.text, *ruled):
        count = header.count(column) if isinstance(column, str) else int(column <= width)
        if count != 1:
            raise StatementRefused(
                f"The CSV file has {count} columns {fields.shown(str(column))}", MISTAKE
            )


def _movement(row: TableRow, mapping: CsvMapping) -> Movement:
    columns = mapping.columns
    if columns.currency is not None:
        fields.check_currency(row.cell(columns.currency))
    value = row.cell(columns.value)
    return Movement(
        booked_on=_day(row.cell(columns.booked), mapping),
        value_on=_day(value, mapping) if value else None,
        units=_units(row, mapping),
        reference=fields.reference(row.cell(columns.reference)),
        text=fields.text(*(row.cell(column) for column in columns.text)),
        counterparty=fields.text(row.cell(columns.counterparty)),
        iban=fields.iban(row.cell(columns.iban)),
        end_to_end=fields.reference(row.cell(columns.end_to_end)),
    )


def _units(row: TableRow, mapping: CsvMapping) -> Cents:
    """Read the signed amount, or a debit (with or without its minus) or a credit, never both."""
    columns = mapping.columns
    if columns.amount is not None:
        return _amount(row.cell(columns.amount), row, mapping)
    debit, credit = row.cell(columns.debit), row.cell(columns.credit)
    out = -abs(_amount(debit, row, mapping)) if debit else 0
    into = _amount(credit, row, mapping) if credit else 0
    if (out and into) or not (debit or credit) or into < 0:
        raise StatementRefused(
            f"Line {row.number} of the CSV file has not exactly one of debit and credit", MISTAKE
        )
    return out + into


def _balance(row: TableRow, mapping: CsvMapping) -> Cents:
    return _amount(row.cell(mapping.columns.balance), row, mapping)


def _amount(written: str, row: TableRow, mapping: CsvMapping) -> Cents:
    """Read '-1 234,50 €': groups of three digits may be parted by a space (or the other mark)."""
    other = "." if mapping.decimal == "," else ","
    bare = re.sub(r"\s*(?:€|EUR)$", "", written.replace("\u2212", "-"))
    if re.fullmatch(
        rf"[+-]?\s?\d{{1,3}}(?:[{GROUPS}{other}]\d{{3}})+(?:{re.escape(mapping.decimal)}\d*)?", bare
    ):
        bare = re.sub(rf"[{GROUPS}{other}]", "", bare)
    try:
        return fields.cents(bare, "amount", marks=mapping.decimal)
    except StatementRefused as refused:
        raise StatementRefused(
            f"Line {row.number} of the CSV file: {refused.message}", MISTAKE
        ) from None


def _day(written: str, mapping: CsvMapping) -> date:
    pattern = re.escape(mapping.date)
    for letters, name in (("yyyy", "year"), ("yy", "year"), ("mm", "month"), ("dd", "day")):
        if f"<{name}>" not in pattern:
            pattern = pattern.replace(letters, rf"(?P<{name}>\d{{{len(letters)}}})")
    match = re.fullmatch(pattern + TIME, written, re.ASCII)
    if not match:
        raise StatementRefused(
            f"The day {fields.shown(written)} of the CSV file is not written {mapping.date}",
            MISTAKE,
        )
    return fields.day_of(match["year"], match["month"], match["day"], "day of a movement")


def _is_oldest_first(movements: list[Movement], balances: list[Cents]) -> bool:
    """Say which way the running balance runs, or refuse where it runs neither way."""
    after = list(pairwise(zip(movements, balances, strict=True)))
    if all(before + movement.units == reached for (_, before), (movement, reached) in after):
        return True
    if all(before + movement.units == reached for (movement, reached), (_, before) in after):
        return False
    raise StatementRefused(
        "The running balance of the CSV file does not follow its amounts",
        "The file may be cut, filtered or sorted: download it from the bank once more.",
    )
