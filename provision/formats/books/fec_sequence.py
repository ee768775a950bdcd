"""What the lines of a FEC must be to each other. Used by `fec_check` only.

Source: article A47 A-1 of the livre des procédures fiscales, VII 1° (continuous numbers, order of
validation, no entry that closes 6 and 7) and VII 3° (the openings have the first numbers). That
lines of one code come to nothing is what lettering means (plan comptable général).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provision.formats.books.fec_rows import Mistake, real_day

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from provision.formats.books.fec_rows import FecRow

OPENINGS = {"AN", "ANO", "RAN", "NOUV"}  # usual codes of the journal of openings
SAME_IN_ENTRY = ("JournalCode", "EcritureDate", "ValidDate")
NUMBER = re.compile(r"(.*?)([0-9]{1,18})")


@dataclass
class Lettered:
    """The lines of one account and party under one code: the first of them, and their cents."""

    line: int
    units: int = 0


@dataclass
class SequenceRead:
    """What was seen so far while the lines are read in their order; amounts are in cents."""

    first_day: date | None
    last_day: date | None
    entries: int = 0
    lines: int = 0
    debit: int = 0
    credit: int = 0
    entry: list[FecRow] = field(default_factory=list)
    validated: date | None = None
    openings_are_over: bool = False
    lettered: dict[tuple[str, str, str], Lettered] = field(default_factory=dict)

    def see(self, row: FecRow) -> Iterator[Mistake]:
        """Yield what is wrong once this line follows the others."""
        if self.entry and row.fields["EcritureNum"] != self.entry[0].fields["EcritureNum"]:
            previous = self.entry[0].fields["EcritureNum"]
            yield from self.end_entry()
            yield from _follows(previous, row)
        if not self.entry:
            yield from self._begin_entry(row)
        self.entry.append(row)
        self.lines += 1
        self.debit += row.debit
        self.credit += row.credit
        self._letter(row)

    def end(self) -> Iterator[Mistake]:
        """Yield what is wrong once all lines are read."""
        yield from self.end_entry()
        if self.debit != self.credit:
            sentence = f"the file does not balance: {self.debit - self.credit} cents are left"
            yield Mistake(0, "Debit", "total", sentence)
        for (account, _party, letter), group in self.lettered.items():
            if group.units:
                sentence = f"the lines of {account} under {letter[:20]!r} do not balance"
                yield Mistake(group.line, "EcritureLet", "letter balance", sentence)
        if not self.lines:
            yield Mistake(0, "", "no line", "the file holds no entry")

    def end_entry(self) -> Iterator[Mistake]:
        """Yield what is wrong in the entry that is now complete."""
        if not self.entry:
            return
        self.entries += 1
        yield from _one_entry(self.entry)
        yield from _closing(self.entry)
        self.entry = []

    def _letter(self, row: FecRow) -> None:
        letter = row.fields["EcritureLet"]
        if letter:
            place = (row.fields["CompteNum"], row.fields["CompAuxNum"], letter)
            self.lettered.setdefault(place, Lettered(row.line)).units += row.debit - row.credit

    def _begin_entry(self, row: FecRow) -> Iterator[Mistake]:
        yield from self._in_exercise(row)
        if row.fields["JournalCode"] in OPENINGS:
            yield from self._opening(row)
            return
        self.openings_are_over = True
        day = real_day(row.fields["ValidDate"])
        if day and self.validated and day < self.validated:
            sentence = f"the entry was validated on {day}, before the one that it follows"
            yield Mistake(row.line, "ValidDate", "order", sentence)
        self.validated = day or self.validated

    def _in_exercise(self, row: FecRow) -> Iterator[Mistake]:
        day = real_day(row.fields["EcritureDate"])
        too_early = day and self.first_day and day < self.first_day
        too_late = day and self.last_day and day > self.last_day
        if too_early or too_late:
            sentence = f"{day} is outside of the exercise"
            yield Mistake(row.line, "EcritureDate", "exercise", sentence)

    def _opening(self, row: FecRow) -> Iterator[Mistake]:
        if self.openings_are_over:
            sentence = "the openings do not have the first numbers"
            yield Mistake(row.line, "EcritureNum", "opening", sentence)


def _follows(previous: str, row: FecRow) -> Iterator[Mistake]:
    """Compare the number of a new entry with the one before: the same letters, one more."""
    before, now = NUMBER.fullmatch(previous), NUMBER.fullmatch(row.fields["EcritureNum"])
    if not before or not now or before[1] != now[1] or int(now[2]) != int(before[2]) + 1:
        sentence = f"{row.fields['EcritureNum'][:20]!r} does not continue {previous[:20]!r}"
        yield Mistake(row.line, "EcritureNum", "number", sentence)


def _one_entry(rows: list[FecRow]) -> Iterator[Mistake]:
    """Yield what is wrong unless the entry balances, and is of one journal and one day."""
    left = sum(row.debit - row.credit for row in rows)
    first = rows[0]
    if left:
        sentence = f"the entry does not balance: {left} cents are left"
        yield Mistake(first.line, "Debit", "balance", sentence)
    for row in rows[1:]:
        for name in SAME_IN_ENTRY:
            if row.fields[name] != first.fields[name]:
                sentence = f"{name} is not that of the other lines of the entry"
                yield Mistake(row.line, name, "one entry", sentence)


def _closing(rows: list[FecRow]) -> Iterator[Mistake]:
    """Find expenses and income against the result alone: the law wants that entry left out."""
    classes = {row.fields["CompteNum"][:2] for row in rows}
    of_result = {start for start in classes if start == "12"}
    of_year = {start for start in classes if start[:1] in {"6", "7"}}
    if rows[0].fields["JournalCode"] in OPENINGS and of_year:
        sentence = "an opening carries expenses or income over"
        yield Mistake(rows[0].line, "CompteNum", "opening", sentence)
    if of_result and of_year and classes == of_result | of_year:
        sentence = "the entry closes expenses or income into the result"
        yield Mistake(rows[0].line, "CompteNum", "closing", sentence)
