"""Lettering: which lines of 411 belong together, since together they come to nothing.

What is set against documents (`allocation`) says it: an invoice, its payments, its credit notes.
A code is given to documents that are wholly set off, when all their lines lie in the exercise
(article A47 A-1 of the livre des procédures fiscales, VII: EcritureLet and DateLet). What was set
against them after its last day is not seen: the file of a year is the same whenever it is written.
The code is made of the number of the first document's entry, so it is the same in every file.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from string import ascii_uppercase
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from sqlalchemy import select

from provision.money import EUR
from provision.subscriptions.documents.drafts import CREDITS
from provision.subscriptions.documents.models import Allocation, Invoice, same_document
from provision.subscriptions.ledger import chart
from provision.subscriptions.ledger.models import LedgerPosting, LedgerTransaction

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Cents

Place: TypeAlias = tuple[int, int]  # the number of an entry, and the line in it, from 1
Letters: TypeAlias = dict[Place, tuple[str, "date"]]


class _UnclaimedLine(NamedTuple):
    """A line of 411 that no document has claimed yet."""

    place: Place
    day: date


@dataclass
class _Group:
    """Documents (by their entries) that are set against each other, what is open, their lines."""

    entries: list[int]
    open: Cents = 0
    units: Cents = 0
    whole: bool = True
    lines: list[_UnclaimedLine] = field(default_factory=list)
    days: list[date] = field(default_factory=list)

    def take(self, line: _UnclaimedLine | None, units: Cents) -> None:
        """Add a line of so many cents; a group of which a line is missing is not whole."""
        if line is None:
            self.whole = False
            return
        self.lines.append(line)
        self.units += units
        self.days.append(line.day)

    def take_all(self, other: _Group) -> None:
        """Add all of another group."""
        self.entries += other.entries
        self.open, self.units = self.open + other.open, self.units + other.units
        self.whole = self.whole and other.whole
        self.lines += other.lines
        self.days += other.days


def letters(session: Session, organisation_id: int, first_day: date, last_day: date) -> Letters:
    """Return the code, and the day of the last of them, of each line that has one."""
    lettered: Letters = {}
    groups = _groups(session, organisation_id, last_day)
    distinct = {id(group): group for group in groups.values()}
    for group in distinct.values():
        days = group.days
        is_off = group.whole and group.open == group.units == 0
        if is_off and first_day <= min(days) and max(days) <= last_day:
            for line in group.lines:
                lettered[line.place] = (code(min(group.entries)), max(days))
    return lettered


def code(number: int) -> str:
    """Return a number, from 1, in capital letters: A to Z, AA to AZ, BA and so on."""
    written = ""
    while number:
        number, place = divmod(number - 1, len(ascii_uppercase))
        written = ascii_uppercase[place] + written
    return written


def _groups(session: Session, organisation_id: int, by: date) -> dict[int, _Group]:
    """Return the group of each document of a day or before, by the number of its entry."""
    lines = _lines(session, organisation_id, by)
    groups: dict[int, _Group] = {}
    for number, party, units, gross in _documents(session, organisation_id, by):
        group = groups[number] = _Group([number], open=gross)
        group.take(_claimed(lines, number, party, units), units)
    for number, party, sign, entry, units, on in _set_against(session, organisation_id, by):
        group = groups[number]
        group.open -= units
        group.days.append(on)
        if entry not in groups:
            group.take(_claimed(lines, entry, party, -sign * units), -sign * units)
        elif groups[entry] is not group:
            _join(groups, group, groups[entry])
    return groups


def _join(groups: dict[int, _Group], group: _Group, other: _Group) -> None:
    group.take_all(other)
    for number in other.entries:
        groups[number] = group


def _claimed(
    lines: dict[tuple[int, str, Cents], list[_UnclaimedLine]], entry: int, party: str, units: Cents
) -> _UnclaimedLine | None:
    waiting = lines.get((entry, party, units))
    return waiting.pop(0) if waiting else None


def _lines(
    session: Session, organisation_id: int, by: date
) -> dict[tuple[int, str, Cents], list[_UnclaimedLine]]:
    """Return the lines of 411 by entry, party and cents, in their order."""
    entry, line = LedgerTransaction, LedgerPosting
    rows = session.execute(
        select(line.number, line.line, line.party, line.units, entry.effective_on)
        .join(
            entry, (entry.organisation_id == line.organisation_id) & (entry.number == line.number)
        )
        .where(
            line.organisation_id == organisation_id,
            line.account == chart.CUSTOMERS,
            line.commodity == EUR.code,
            entry.effective_on <= by,
        )
        .order_by(line.number, line.line)
    )
    lines: dict[tuple[int, str, Cents], list[_UnclaimedLine]] = defaultdict(list)
    for number, position, party, units, day in rows:
        lines[number, party, int(units)].append(_UnclaimedLine((number, position), day))
    return lines


def _documents(
    session: Session, organisation_id: int, by: date
) -> Iterator[tuple[int, str, Cents, Cents]]:
    """Yield entry, party, what it put on 411, and the gross amount of each document."""
    rows = session.execute(
        select(Invoice.entry_number, Invoice.party, Invoice.kind, Invoice.gross)
        .where(Invoice.organisation_id == organisation_id, Invoice.issued_on <= by)
        .order_by(Invoice.entry_number)
    )
    for number, party, kind, gross in rows:
        yield number, party, -gross if kind in CREDITS else gross, gross


def _set_against(
    session: Session, organisation_id: int, by: date
) -> Iterator[tuple[int, str, int, int, Cents, date]]:
    """Yield the document's entry, party and sign, and the entry, cents and day set against it."""
    part, document = Allocation, Invoice
    same = same_document(part, document)
    rows = session.execute(
        select(
            document.entry_number,
            document.party,
            document.kind,
            part.entry_number,
            part.units,
            part.allocated_on,
        )
        .join(part, same)
        .where(
            document.organisation_id == organisation_id,
            document.issued_on <= by,
            part.allocated_on <= by,
        )
        .order_by(document.entry_number, part.position)
    )
    for number, party, kind, entry, units, on in rows:
        yield number, party, -1 if kind in CREDITS else 1, entry, units, on
