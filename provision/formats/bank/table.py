"""A bank's CSV, read by the mapping that a person wrote for it (`mappings`)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from provision.formats.bank import fields, sheets
from provision.formats.bank.sheets import MISTAKE
from provision.formats.bank.statements import Movement, Statement, StatementRefused

if TYPE_CHECKING:
    from provision.formats.bank.mappings import CsvMapping
    from provision.formats.bank.sheets import SheetRow
    from provision.money import Cents


def read(content: bytes, mapping: CsvMapping) -> tuple[Statement, ...]:
    """Return the one statement of the file, oldest movement first, or raise StatementRefused."""
    columns = mapping.columns
    named = [column for _, column in columns if isinstance(column, str | int)]
    rows = sheets.rows(content, mapping, (*named, *columns.text))
    movements = [_movement(row, mapping) for row in rows]
    balances = [row.amount(columns.balance) for row in rows if columns.balance is not None]
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


def _movement(row: SheetRow, mapping: CsvMapping) -> Movement:
    columns = mapping.columns
    if columns.currency is not None:
        fields.check_currency(row.cell(columns.currency))
    value = row.cell(columns.value)
    return Movement(
        booked_on=row.day(columns.booked),
        value_on=row.day(columns.value) if value else None,
        units=_units(row, mapping),
        reference=fields.reference(row.cell(columns.reference)),
        text=fields.text(*(row.cell(column) for column in columns.text)),
        counterparty=fields.text(row.cell(columns.counterparty)),
        iban=fields.iban(row.cell(columns.iban)),
        end_to_end=fields.reference(row.cell(columns.end_to_end)),
    )


def _units(row: SheetRow, mapping: CsvMapping) -> Cents:
    """Read the signed amount, or a debit (with or without its minus) or a credit, never both."""
    columns = mapping.columns
    if columns.amount is not None:
        return row.amount(columns.amount)
    debit, credit = row.cell(columns.debit), row.cell(columns.credit)
    out = -abs(row.amount(columns.debit)) if debit else 0
    into = row.amount(columns.credit) if credit else 0
    if (out and into) or not (debit or credit) or into < 0:
        raise StatementRefused(
            f"Line {row.number} of the CSV file has not exactly one of debit and credit", MISTAKE
        )
    return out + into


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
