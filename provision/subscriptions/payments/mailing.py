"""`letters.csv`: who gets which letter of a folder, for e-mail, mail merge and the post."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.formats.books import tabular
from provision.languages import spoken
from provision.money import euros
from provision.process.files import replace_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from provision.formats.books.tabular import Cell
    from provision.money import Cents
    from provision.subscriptions.parties.profiles import Address

NAME = "letters.csv"
LINES = ("address_1", "address_2", "address_3")  # as many as an `Address` has at most
WHERE = (*LINES, "postcode", "city", "country")
WHAT = ("e_mail", "subject", "sum", "invoices", "file")
HEADER = ("day", "sender", "stage", "name", *WHERE, *WHAT)
SENDER, FILE = 1, len(HEADER) - 1
DELIMITERS = ";,"


@dataclass(frozen=True)
class Outbox:
    """A folder of letters, the language of who sends them, as their spreadsheets read it, and who.

    Invoices of two senders may have one number, and so may files about them: no folder is for two.
    """

    folder: Path
    language: str
    sender: str = ""


@dataclass(frozen=True)
class Addressee:
    """To whom a letter goes; a person may keep the address to themselves."""

    name: str
    email: str
    address: Address | None


@dataclass(frozen=True)
class Mailed:
    """One letter: of which day and stage, to whom, about how many cents of which invoices."""

    day: date
    stage: str
    to: Addressee
    subject: str
    units: Cents
    invoices: tuple[str, ...]
    file: str


def check(outbox: Outbox) -> None:
    """Raise PaquetError where the folder has another list of this name, or letters of another."""
    own = tabular.text(outbox.sender)
    for row in _known(outbox.folder / NAME):
        if row[SENDER] not in {"", own} and outbox.sender:
            raise PaquetError(
                f"{outbox.folder} holds letters of {row[SENDER]}",
                "Give each organisation a folder of its own.",
            )


def add(outbox: Outbox, mailed: Sequence[Mailed]) -> None:
    """Write the letters into the folder's list, after those that are there.

    A letter that is written again (the same `file`) has one row. `;` and a decimal comma in
    French, as spreadsheets there want it (`tabular`); the columns have the same names everywhere.
    """
    path = outbox.folder / NAME
    again = {letter.file for letter in mailed}
    kept: list[Sequence[Cell]] = [row for row in _known(path) if row[FILE] not in again]
    chosen = spoken(outbox.language)
    replace_file(
        path, tabular.table(HEADER, [*kept, *(_row(letter, outbox) for letter in mailed)], chosen)
    )


def _row(mailed: Mailed, outbox: Outbox) -> list[Cell]:
    return [
        mailed.day,
        outbox.sender,
        mailed.stage,
        mailed.to.name,
        *_where(mailed.to.address),
        mailed.to.email,
        mailed.subject,
        euros(mailed.units),
        " ".join(mailed.invoices),
        mailed.file,
    ]


def _where(address: Address | None) -> list[str]:
    if address is None:
        return [""] * len(WHERE)
    lines = [*address.lines, *[""] * len(LINES)][: len(LINES)]
    return [*lines, address.postcode, address.city, address.country]


def _known(path: Path) -> list[list[str]]:
    """Return the rows of a list that is there."""
    if not path.exists():
        return []
    try:
        text = path.read_bytes().decode("utf-8-sig")
        for delimiter in DELIMITERS:
            head, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
            if tuple(head) == HEADER and all(len(row) == len(HEADER) for row in rows):
                return rows
    except (OSError, UnicodeDecodeError, csv.Error, ValueError):
        pass
    raise PaquetError(
        f"{path} is not a list of letters that was written here",
        "Move it away, or give another folder; then run again.",
    )
