"""Tables for spreadsheets as CSV (RFC 4180), in which no text of people is ever a formula. Pure.

French: UTF-8 with a byte order mark, `;`, decimal comma. English: UTF-8, `,`, decimal point. Cells
that would begin a formula get an apostrophe first (OWASP, "CSV injection"); numbers stay numbers.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from datetime import date
from typing import TYPE_CHECKING, TypeAlias

from provision.formats.books.plaintext_names import number, written
from provision.money import Amount

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from provision.languages import Language

Cell: TypeAlias = str | int | date | Amount | None
BYTE_ORDER_MARK = "\ufeff"
FORMULA = "=+-@"
LINE_BREAKERS = "\t\r\n"


def table(header: Sequence[str], rows: Iterable[Sequence[Cell]], language: Language) -> bytes:
    """Return the CSV of `rows`: text, whole numbers, days (ISO 8601), amounts, None for empty."""
    file = io.StringIO(newline="")
    french = language == "fr"
    writer = csv.writer(file, delimiter=";" if french else ",", lineterminator="\r\n")
    writer.writerow([text(title) for title in header])
    for row in rows:
        writer.writerow([_cell(cell, language) for cell in row])
    mark = BYTE_ORDER_MARK if french else ""
    return (mark + file.getvalue()).encode(errors="replace")


def _cell(cell: Cell, language: Language) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return text(cell)
    if isinstance(cell, Amount):
        figures = number(cell.units, written(cell.commodity).decimals)
        return figures.replace(".", ",") if language == "fr" else figures
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def text(typed: str) -> str:
    """Return what a cell says: an apostrophe stands before what could be taken for a formula.

    Full-width signs count (NFKC makes them plain, as some spreadsheets do), and so do signs after
    spaces and marks that cannot be seen.
    """
    clean = typed.replace("\0", "")
    shown = unicodedata.normalize("NFKC", clean)
    visible = "".join(letter for letter in shown if letter.isprintable()).lstrip(" ")
    risky = clean[:1] in LINE_BREAKERS or visible[:1] in FORMULA
    return f"'{clean}" if clean and risky else clean
