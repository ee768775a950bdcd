"""A list of clients as a table: CSV with `,` `;` or tabs, as spreadsheets and programs write it.

UTF-8, with or without a mark, or Windows-1252 (RFC 4180 for quotation marks). A line that cannot be
read is a fault of its own: all others are read on. Pure.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from provision.errors import UsageRefused
from provision.formats.books import tabular
from provision.formats.clients.columns import EXAMPLE, UNREAD
from provision.languages import spoken

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from provision.errors import PaquetError
    from provision.formats.clients.columns import Vocabulary

Row: TypeAlias = "tuple[int, list[str], LineFault | None]"
MOST_BYTES, MOST_LINES = 50_000_000, 50_000
# Of the file that one line of the table may run over: an address has three, a note that nobody
# reads may have more. A quotation mark that is not closed is looked for no further.
LONGEST_LINE = 20
SEPARATORS = ";,\t"
NO_ROW: Row = (1, [], None)  # of a list that holds separators, and says nothing
WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
ARCHIVE = b"PK"  # how .xlsx and .ods begin
TO_MEND = {"fr": "À mender", "en": "To mend"}


@dataclass(frozen=True)
class LineFault:
    """What is wrong in which line and column ('' for all of the line), and what to do about it."""

    line: int
    column: str
    fault: str
    hint: str


def fault_at(line: int, column: str, wrong: PaquetError) -> LineFault:
    """Return what was refused as a fault, with something to do about it."""
    return LineFault(line, column, wrong.message, wrong.hint or "Correct it there.")


@dataclass(frozen=True)
class ClientRecord:
    """A line: its number in the file, its cells as they are, and what they say by our words."""

    line: int
    cells: tuple[str, ...]
    words: Mapping[str, str]


@dataclass(frozen=True)
class ClientTable:
    """A file: its heads, its lines, those among them that are no row of the table, and why.

    `columns` names the head of each word; `unread` are the heads that nobody knows.
    """

    heads: tuple[str, ...]
    columns: Mapping[str, str]
    records: tuple[ClientRecord, ...]
    faults: tuple[LineFault, ...]
    unread: tuple[str, ...]


def read(content: bytes, vocabulary: Vocabulary) -> ClientTable:
    """Return the table of the file, or raise UsageRefused where it is none."""
    lines = _lines(_text(content))
    if not any(map(str.strip, lines)):
        raise UsageRefused("The file is empty", "Export the list once more.")
    separator = _separator(lines, vocabulary)
    first, *rows = list(islice(_rows(lines, separator), MOST_LINES + 2)) or [NO_ROW]
    _at, heads, broken = first
    if broken or not any(vocabulary.word(head) for head in heads):
        raise UsageRefused(
            "The first line names no column that is known",
            f"It says what stands in each, such as Nom;Courriel;IBAN: see {EXAMPLE}.",
        )
    if len(rows) > MOST_LINES:
        raise _too_many()
    words = [vocabulary.word(head) for head in heads]
    _check_heads(heads, words)
    records, faults = [], []
    for line, cells, why in rows:
        fault = why or _misshapen(line, cells, len(heads))
        if fault:
            faults.append(fault)
            records.append(ClientRecord(line, tuple(cells), {}))
        else:
            said = {word: cell for word, cell in zip(words, cells, strict=False) if word}
            records.append(ClientRecord(line, tuple(cells), said))
    return ClientTable(
        heads=tuple(heads),
        columns={word: head for word, head in zip(words, heads, strict=True) if word},
        records=tuple(records),
        faults=tuple(faults),
        unread=tuple(head for head, word in zip(heads, words, strict=True) if word is None),
    )


def rest(table: ClientTable, faults: Iterable[LineFault], language: str) -> bytes:
    """Return the faulty lines as CSV, to be mended and brought in again; what is wrong comes first.

    The cells are as they were; one that could be a formula has an apostrophe before it (`tabular`).
    """
    by_line: dict[int, list[LineFault]] = {}
    for fault in faults:
        by_line.setdefault(fault.line, []).append(fault)
    chosen = spoken(language)
    rows = [
        (" ".join(said(fault) for fault in by_line[record.line]), *record.cells)
        for record in table.records
        if record.line in by_line
    ]
    return tabular.table((TO_MEND[chosen], *table.heads), rows, chosen)


def said(fault: LineFault) -> str:
    """Return a fault as one text: its column, what is wrong, what to do."""
    where = f"{fault.column}: " if fault.column else ""
    return f"{where}{fault.fault}. {fault.hint}".strip()


def _text(content: bytes) -> str:
    if len(content) > MOST_BYTES:
        raise UsageRefused("The file is larger than 50 megabytes", "Bring in a part of it.")
    if content.startswith((ARCHIVE, *WIDE)):
        raise UsageRefused(
            "The file is no CSV but a spreadsheet", "Save it as CSV, in UTF-8, and give that file."
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        at = content.count(b"\n", 0, wrong.start) + 1
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError:
        raise UsageRefused(
            f"Line {at} is written neither in UTF-8 nor in Windows-1252", "Save the file in UTF-8."
        ) from None


def _lines(text: str) -> list[str]:
    """Return the lines of the file, or raise UsageRefused before all of them are held."""
    most = MOST_LINES * LONGEST_LINE
    lines = list(islice(io.StringIO(text, newline=""), most + 1))
    if len(lines) > most:
        raise _too_many()
    return lines


def _too_many() -> UsageRefused:
    return UsageRefused(f"The file has more than {MOST_LINES:,} lines", "Bring in a part of it.")


def _separator(lines: Sequence[str], vocabulary: Vocabulary) -> str:
    """Return the separator by which the first line names the most columns that are known."""

    def known(separator: str) -> tuple[int, int]:
        _at, heads, _broken = next(_rows(lines, separator), NO_ROW)
        return sum(vocabulary.word(head) is not None for head in heads), len(heads)

    return max(SEPARATORS, key=known)


def _rows(lines: Sequence[str], separator: str) -> Iterator[Row]:
    """Yield each row that says something: its line, its cells, and why it is none.

    What a reader of CSV refuses costs one line; reading goes on with the next one.
    """
    at = 0
    while at < len(lines):
        run = lines[at : at + LONGEST_LINE]
        reader = csv.reader(run, delimiter=separator, strict=True)
        try:
            cells = next(reader)
        except csv.Error:
            yield at + 1, [lines[at].rstrip("\r\n")], _broken(at + 1, lines[at])
            at += 1
        else:
            if any(map(str.strip, cells)):
                yield at + 1, cells, None
            at += reader.line_num


def _broken(line: int, text: str) -> LineFault:
    if len(text) > csv.field_size_limit():
        return LineFault(
            line,
            "",
            f"A cell is longer than {csv.field_size_limit():,} characters",
            "No client has such a name or address: take it away.",
        )
    return LineFault(
        line,
        "",
        "A quotation mark is not closed, or stands within a cell",
        'Write "" for one that is meant, and one at each end of a cell that has any.',
    )


def _misshapen(line: int, cells: Sequence[str], width: int) -> LineFault | None:
    if len(cells) == width:
        return None
    counted = f"{len(cells)} cell{'' if len(cells) == 1 else 's'}"
    return LineFault(
        line,
        "",
        f"The line has {counted} instead of {width}",
        "A cell in which the separator stands is written in quotation marks.",
    )


def _check_heads(heads: Sequence[str], words: Sequence[str | None]) -> None:
    counted = Counter(word for word in words if word not in (None, UNREAD))
    for word, count in counted.items():
        if count > 1:
            named = " and ".join(
                f"“{head}”" for head, other in zip(heads, words, strict=True) if other == word
            )
            raise UsageRefused(
                f"{count} columns say {word}: {named}",
                'Take one away, or name it under unread = ["…"] in a file for --columns.',
            )
