"""The fichier des écritures comptables: what the tax office asks for, one file per exercise. Pure.

Sources: article A47 A-1 of the livre des procédures fiscales, VI to XII; BOI-CF-IOR-60-40-20.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from stdnum.exceptions import ValidationError
from stdnum.fr import siren as siren_number

from provision import money
from provision.formats.books.booked import (
    OPENING_JOURNAL,
    Booked,
    ExportRefused,
    check_entry,
    check_lines,
)
from provision.formats.books.plaintext import one_line
from provision.money import EUR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from provision.formats.books.booked import BookedLine

FIELDS = (
    "JournalCode",
    "JournalLib",
    "EcritureNum",
    "EcritureDate",
    "CompteNum",
    "CompteLib",
    "CompAuxNum",
    "CompAuxLib",
    "PieceRef",
    "PieceDate",
    "EcritureLib",
    "Debit",
    "Credit",
    "EcritureLet",
    "DateLet",
    "ValidDate",
    "Montantdevise",
    "Idevise",
)
JOURNAL_NAMES = MappingProxyType(
    {
        "VT": "Ventes",
        "AC": "Achats",
        "BQ": "Banque",
        "OD": "Opérations diverses",
        OPENING_JOURNAL: "À-nouveaux",
    }
)
OPENING_TEXT = "Reprise des soldes de l'exercice antérieur"
SEPARATORS = "\t|"
RESULT = "12"  # 120 and 129: where 6 and 7 go when the books are closed
NEVER_CARRIED_OVER = ("6", "7", "8")
LONGEST_EXERCISE = 731  # days: a first exercise may last two years, one of them a leap year


@dataclass(frozen=True)
class Exercise:
    """The accounting year of one organisation, both days included."""

    siren: str
    first_day: date
    last_day: date


@dataclass(frozen=True)
class Form:
    """What the law leaves open: what stands between two fields, and at the end of a line."""

    separator: Literal["\t", "|"] = "\t"
    line_end: Literal["\r\n", "\n"] = "\r\n"


STANDARD = Form()


def file_name(exercise: Exercise) -> str:
    """Return SirenFECAAAAMMJJ.txt (X), or raise ExportRefused for what is no SIREN or no year."""
    try:
        siren = siren_number.validate(exercise.siren)
    except ValidationError:
        raise ExportRefused(
            f"{exercise.siren[:20]!r} is not a SIREN", "Nine digits, the last of which is a key."
        ) from None
    if not 0 <= (exercise.last_day - exercise.first_day).days <= LONGEST_EXERCISE:
        raise ExportRefused("An exercise begins before it ends, and lasts two years at most")
    return f"{siren}FEC{_day(exercise.last_day)}.txt"


def lines(
    exercise: Exercise,
    entries: Iterable[Booked],
    opening: Sequence[BookedLine] = (),
    form: Form = STANDARD,
) -> Iterator[bytes]:
    """Yield the file line by line, in UTF-8: the header, the balances at opening, the entries.

    `entries` come in the order of `validation_order` (sort them by it) and are read once, so that
    memory does not grow with them. EcritureNum counts the entries of the file: the journal's own
    numbers have gaps here (entries of other exercises, entries without euros), and are given at
    the end of EcritureLib. Left out are lines in other commodities than the euro, and the entry
    that closes 6 and 7 into the result. Raises ExportRefused for what may not be in the file.
    """
    file_name(exercise)  # refuses a wrong exercise before the first line
    yield _line(FIELDS, form)
    number = 0
    for entry in _in_order(exercise, entries, opening):
        euros = [line for line in entry.lines if line.commodity.code == EUR.code]
        if not euros or _closes_result(euros):
            continue
        number += 1
        head, piece = _head(entry, number), _piece(entry)
        validated = _day(entry.recorded_on)
        for line in euros:
            fields = (*head, *_account(line), *piece, *_amounts(line), validated, *_foreign(line))
            yield _line(fields, form)


def validation_order(entry: Booked) -> tuple[bool, date, int]:
    """Return the sort key of the law: openings first, then by day of validation and number."""
    return (entry.journal != OPENING_JOURNAL, entry.recorded_on, entry.number)


def _in_order(
    exercise: Exercise, entries: Iterable[Booked], opening: Sequence[BookedLine]
) -> Iterator[Booked]:
    """Yield the opening and then each entry, or raise ExportRefused for one out of its place."""
    carried = _opening(exercise, opening)
    if carried.lines:
        yield carried
    last: tuple[bool, date, int] | None = None
    for entry in entries:
        check_entry(entry)
        if not exercise.first_day <= entry.effective_on <= exercise.last_day:
            raise ExportRefused(
                f"The entry {entry.number} took effect on {entry.effective_on}, "
                f"not between {exercise.first_day} and {exercise.last_day}",
                "A file holds one exercise: give the entries of that one alone.",
            )
        place = validation_order(entry)
        if last is not None and place <= last:
            raise ExportRefused(
                f"The entry {entry.number} is not in the order of validation",
                "Openings come first, then the day of validation and the number decide.",
            )
        last = place
        yield entry


def _opening(exercise: Exercise, opening: Sequence[BookedLine]) -> Booked:
    """Return the balances that are carried over as one entry; empty balances are left out."""
    first_day = exercise.first_day
    carried = tuple(line for line in opening if line.units)
    check_lines("The opening", carried)
    for line in carried:
        if line.account.startswith(NEVER_CARRIED_OVER):
            raise ExportRefused(
                f"The opening carries the account {line.account} over",
                "Classes 6 to 8 start at zero: the result of last year is on 12 or 11.",
            )
    return Booked(0, OPENING_JOURNAL, first_day, first_day, "AN", first_day, OPENING_TEXT, carried)


def _closes_result(euros: Sequence[BookedLine]) -> bool:
    """Tell whether the entry only moves expenses and income to the result (VII: left out)."""
    result = [line for line in euros if line.account.startswith(RESULT)]
    others = [line for line in euros if not line.account.startswith(RESULT)]
    return bool(result and others) and all(line.account[0] in "67" for line in others)


def _head(entry: Booked, number: int) -> tuple[str, ...]:
    name = JOURNAL_NAMES[entry.journal]
    return (entry.journal, name, str(number), _day(entry.effective_on))


def _account(line: BookedLine) -> tuple[str, ...]:
    label = _clean(line.label) or f"Compte {line.account}"
    party_label = (_clean(line.party_label) or line.party) if line.party else ""
    return (line.account, label, line.party, party_label)


def _piece(entry: Booked) -> tuple[str, ...]:
    """Return PieceRef, PieceDate and EcritureLib; the law wants each of them filled."""
    own = f"écriture {entry.number}"
    text = _clean(entry.text)
    if entry.number:
        text = f"{text} ({own})".strip()
    return (_clean(entry.piece) or own, _day(entry.piece_on), text)


def _amounts(line: BookedLine) -> tuple[str, ...]:
    """Return Debit, Credit, EcritureLet and DateLet; the side without an amount says 0,00."""
    lettered_on = _day(line.lettered_on) if line.lettered_on else ""
    debit, credit = max(line.units, 0), max(-line.units, 0)
    return (_cents(debit), _cents(credit), line.letter, lettered_on)


def _foreign(line: BookedLine) -> tuple[str, ...]:
    """Return Montantdevise, signed like the line, and Idevise."""
    if line.foreign is None:
        return ("", "")
    return (money.plain(line.foreign).replace(".", ","), line.foreign.commodity.code)


def _line(fields: Sequence[str], form: Form) -> bytes:
    return (form.separator.join(fields) + form.line_end).encode()


def _clean(text: str) -> str:
    return one_line(text, SEPARATORS)


def _cents(units: int) -> str:
    return f"{units // 100},{units % 100:02d}"


def _day(day: date) -> str:
    return day.isoformat().replace("-", "")
