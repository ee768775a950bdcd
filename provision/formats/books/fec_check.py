"""Read a FEC as the tax office would, and say what is wrong in it.

Written from the published rules alone and sharing nothing with the writer: article A47 A-1 of the
livre des procédures fiscales (VII to XII), BOI-CF-IOR-60-40-20, and what the DGFiP's own program
Test-Compta-Demat looks at. It is stricter than that program, which adds nothing up.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from provision.formats.books.fec_rows import HEADER, Mistake, check_row, read_row, real_day
from provision.formats.books.fec_sequence import SequenceRead

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

NAME = re.compile(r"([0-9]{9})FEC([0-9]{8})\.txt")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MOST_BYTES = 1 << 30
LONGEST_LINE = 20_000  # characters: eighteen fields, none of them a novel
MOST_FINDINGS = 1000
WINDOWS_ONLY = re.compile(rb"[\x80-\x9f]")  # controls in ISO 8859-15, quotes and dashes in CP1252


@dataclass(frozen=True)
class FecReport:
    """What was found (a thousand findings at most) and what was read; amounts are in cents."""

    findings: tuple[Mistake, ...]
    entries: int
    lines: int
    debit: int
    credit: int


def check(name: str, content: bytes, first_day: date | None = None) -> FecReport:
    """Return what is wrong in the file `name`: no finding when the rules are kept.

    With `first_day`, the first of the exercise, entries before it are found too.
    """
    named = NAME.fullmatch(name)
    reading = SequenceRead(first_day, real_day(named[2]) if named else None)
    findings = tuple(islice(_everything(name, content, reading), MOST_FINDINGS))
    return FecReport(findings, reading.entries, reading.lines, reading.debit, reading.credit)


def _everything(name: str, content: bytes, reading: SequenceRead) -> Iterator[Mistake]:
    yield from _name(name)
    if len(content) > MOST_BYTES:
        yield Mistake(0, "", "size", "the file is larger than one gibibyte")
        return
    encoding = _encoding(content)
    if encoding != "utf-8" and WINDOWS_ONLY.search(content):
        sentence = "the characters are neither ASCII, nor ISO 8859-15, nor UTF-8"
        yield Mistake(0, "", "encoding", sentence)
        return
    if content.startswith(BYTE_ORDER_MARK):
        yield Mistake(1, "JournalCode", "encoding", "a byte order mark is before the first field")
        content = content.removeprefix(BYTE_ORDER_MARK)
    yield from _lines(io.TextIOWrapper(io.BytesIO(content), encoding), reading)


def _name(name: str) -> Iterator[Mistake]:
    match = NAME.fullmatch(name)
    if not match or real_day(match[2]) is None:
        yield Mistake(0, "", "name", "the name is not SirenFECAAAAMMJJ.txt")
    if match and not _is_siren(match[1]):
        yield Mistake(0, "", "siren", f"the key of the SIREN {match[1]} is wrong")


def _is_siren(digits: str) -> bool:
    """Luhn's sum: every second digit from the right counts double, its own digits added up."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(number // 10 + number % 10 for number in doubled) % 10 == 0


def _encoding(content: bytes) -> str:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "iso-8859-15"
    return "utf-8"


def _lines(text: io.TextIOWrapper, reading: SequenceRead) -> Iterator[Mistake]:
    header = text.readline(LONGEST_LINE).rstrip("\n")
    separator = "\t" if "\t" in header else "|"
    if separator not in header:
        yield Mistake(1, "", "separator", "the fields are separated by neither TAB nor '|'")
        return
    if header.split(separator) != HEADER:
        sentence = "the first line does not name the eighteen fields in their order"
        yield Mistake(1, "", "header", sentence)
        return
    number = 1
    while line := text.readline(LONGEST_LINE):
        number += 1
        values = line.rstrip("\n").split(separator)
        if len(values) != len(HEADER):
            sentence = f"the line has {len(values)} fields instead of {len(HEADER)}"
            yield Mistake(number, "", "fields", sentence)
            continue
        row = read_row(number, values)
        yield from check_row(row)
        yield from reading.see(row)
    yield from reading.end()
