"""An organisation's books of an exercise, read from the ledger and written as others want them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, select

from provision.days import sensible_period
from provision.errors import UsageRefused
from provision.formats.books import beancount, fec, fec_check, fec_description, hledger, reports
from provision.formats.books.booked import Booked, BookedLine
from provision.formats.books.fec import Exercise
from provision.money import EUR, Amount, find_commodity
from provision.registry.models import Subscriber
from provision.subscriptions.books import lettering, results
from provision.subscriptions.ledger import chart
from provision.subscriptions.ledger.models import LedgerPosting, LedgerTransaction
from provision.subscriptions.ledger.posting import Balance
from provision.subscriptions.offers.models import Fund
from provision.subscriptions.parties import people
from provision.subscriptions.parties.models import Organisation, PersonReference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date
    from typing import Any

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from provision.formats.books.fec_rows import Mistake
    from provision.languages import Language
    from provision.money import Commodity
    from provision.subscriptions.books.lettering import Letters

BATCH = 5_000
DESCRIPTION = "-description.txt"
UNALLOCATED = (*chart.RESULT_CLASSES, *results.RESULTS)  # what makes up the result
FORMATS = ("fec", "hledger", "beancount", "csv")


@dataclass(frozen=True)
class Period:
    """The days of an exercise, both inside."""

    first_day: date
    last_day: date

    def __post_init__(self) -> None:
        sensible_period(self.first_day, self.last_day, "a day of books")

    def __str__(self) -> str:
        """How files of it begin: exports of two years may lie in one folder."""
        return f"{self.first_day}-{self.last_day}"


def export(
    session: Session, owner: Organisation, period: Period, kind: str, language: Language
) -> dict[str, bytes]:
    """Return the files of one format, by name. Raises UsageRefused for a format not known."""
    if kind == "fec":
        return _fec(session, owner, period)
    if kind == "csv":
        return _tables(session, owner, period, language)
    if kind not in FORMATS:
        raise UsageRefused(f"{kind[:20]!r} is not a format", f"Use {'|'.join(FORMATS)}.")
    entries = [*opening_entry(session, owner, period), *booked(session, owner, period, language)]
    write, ending = (
        (hledger.journal, "journal") if kind == "hledger" else (beancount.journal, "beancount")
    )
    return {f"{period}.{ending}": write(owner.name, entries).encode()}


def problems(files: dict[str, bytes], period: Period) -> list[Mistake]:
    """Return what our own checker, which shares nothing with the writer, finds in a FEC."""
    return [
        finding
        for name, content in files.items()
        if not name.endswith(DESCRIPTION)
        for finding in fec_check.check(name, content, period.first_day).findings
    ]


def booked(
    session: Session, owner: Organisation, period: Period, language: Language
) -> Iterator[Booked]:
    """Yield the entries of the exercise in the order of their validation."""
    names = _names(session)
    rows = session.execute(_entries(owner, period), execution_options={"yield_per": BATCH})
    for number, group in groupby(rows, attrgetter("number")):
        lines = list(group)
        head = lines[0]
        yield Booked(
            number=number,
            journal=head.journal,
            effective_on=head.effective_on,
            recorded_on=head.recorded_on,
            piece=head.piece or head.idempotency_key,
            piece_on=head.effective_on,
            text=head.text,
            lines=tuple(_line(row, names, language) for row in lines),
        )


def opening(
    session: Session, owner: Organisation, period: Period, language: Language
) -> list[BookedLine]:
    """Return what the accounts held before the exercise.

    The result of earlier exercises (classes 6 and 7) is on 120 or 129, as far as no assembly had
    allocated it by then (`results`).
    """
    names = _names(session)
    rows = session.execute(
        select(
            LedgerPosting.account,
            LedgerPosting.party,
            LedgerPosting.commodity,
            func.sum(LedgerPosting.units).label("units"),
        )
        .join(LedgerTransaction, _same_entry())
        .where(
            LedgerPosting.organisation_id == owner.id,
            LedgerTransaction.effective_on < period.first_day,
        )
        .group_by(LedgerPosting.account, LedgerPosting.party, LedgerPosting.commodity)
        .order_by(LedgerPosting.account, LedgerPosting.party, LedgerPosting.commodity)
    ).all()
    lines = [
        _line(row, names, language)
        for row in rows
        if row.units and not row.account.startswith(UNALLOCATED)
    ]
    result = sum(
        int(row.units)
        for row in rows
        if row.account.startswith(UNALLOCATED) and row.commodity == EUR.code
    )
    if result:
        account = chart.PROFIT if result < 0 else chart.LOSS
        lines.append(BookedLine(account, chart.label(account, language), "", "", EUR, result))
    return lines


def balances(session: Session, owner: Organisation, period: Period) -> list[Balance]:
    """Return what each account holds at the end of an exercise: its opening, and its entries.

    Classes 6 and 7 begin at zero, since what they held before is in the opening (`opening`).
    """
    debited: dict[tuple[str, Commodity], int] = defaultdict(int)
    credited: dict[tuple[str, Commodity], int] = defaultdict(int)
    for entry in (*opening_entry(session, owner, period), *booked(session, owner, period, "fr")):
        for line in entry.lines:
            side = debited if line.units > 0 else credited
            side[line.account, line.commodity] += abs(line.units)
    keys = sorted({*debited, *credited}, key=lambda key: (key[0], key[1].code))
    return [
        Balance(owner.id, key[0], Amount(key[1], debited[key]), Amount(key[1], credited[key]))
        for key in keys
    ]


def opening_entry(session: Session, owner: Organisation, period: Period) -> Iterator[Booked]:
    """Yield the opening as an entry of its own, when there is something to open with."""
    lines = [
        line
        for line in opening(session, owner, period, "fr")
        if not (line.account.startswith(chart.MEMO_CLASS) and line.commodity == EUR)
    ]
    if lines:
        day = period.first_day
        yield Booked(0, "AN", day, day, "AN", day, "À-nouveaux", tuple(lines))


def _fec(session: Session, owner: Organisation, period: Period) -> dict[str, bytes]:
    if not owner.siren:
        raise UsageRefused(
            f"{owner.name} has no SIREN, and the name of a FEC begins with it",
            "INSEE gives an association one, free of charge. Then: "
            "paquet organisation identify NAME --siren NUMBER",
        )
    exercise = Exercise(owner.siren, period.first_day, period.last_day)
    first = [
        line
        for line in opening(session, owner, period, "fr")
        if line.commodity == EUR and not line.account.startswith(chart.MEMO_CLASS)
    ]
    letters = lettering.letters(session, owner.id, period.first_day, period.last_day)
    entries = _lettered(booked(session, owner, period, "fr"), letters)
    lines = fec.lines(exercise, entries, first)
    name = fec.file_name(exercise)
    return {
        name: b"".join(lines),
        f"{name.removesuffix('.txt')}{DESCRIPTION}": fec_description.describe(exercise).encode(),
    }


def _lettered(entries: Iterable[Booked], letters: Letters) -> Iterator[Booked]:
    """Yield the entries with the letters of their lines."""
    for entry in entries:
        lines = (
            replace(line, letter=letter[0], lettered_on=letter[1])
            if (letter := letters.get((entry.number, place)))
            else line
            for place, line in enumerate(entry.lines, start=1)
        )
        yield replace(entry, lines=tuple(lines))


def _tables(
    session: Session, owner: Organisation, period: Period, language: Language
) -> dict[str, bytes]:
    entries = [*opening_entry(session, owner, period), *booked(session, owner, period, language)]
    tables = {
        "journal": reports.journal(entries, language),
        "balance": reports.balance(entries, language),
        "ledger": reports.general_ledger(entries, language),
        "receivables": reports.aged_receivables(entries, period.last_day, language),
    }
    return {f"{period}-{name}.csv": content for name, content in tables.items()}


def _entries(owner: Organisation, period: Period) -> Select[*tuple[Any, ...]]:
    entry, line = LedgerTransaction, LedgerPosting
    return (
        select(
            entry.number,
            entry.journal,
            entry.effective_on,
            entry.recorded_on,
            entry.piece,
            entry.idempotency_key,
            entry.text,
            line.account,
            line.party,
            line.commodity,
            line.units,
        )
        .join(line, _same_entry())
        .where(
            entry.organisation_id == owner.id,
            entry.effective_on.between(period.first_day, period.last_day),
        )
        .order_by(entry.recorded_on, entry.number, line.line)
    )


def _same_entry() -> Any:  # noqa: ANN401 (a condition of SQLAlchemy)
    return and_(
        LedgerTransaction.organisation_id == LedgerPosting.organisation_id,
        LedgerTransaction.number == LedgerPosting.number,
    )


def _names(session: Session) -> dict[str, str]:
    """Return who the references stand for; a person who was erased has none."""
    organisations = session.execute(select(Organisation.id, Organisation.name))
    funds = session.execute(select(Fund.id, Fund.name))
    persons = session.execute(
        select(PersonReference.reference, Subscriber.name).join(
            Subscriber, Subscriber.id == PersonReference.subscriber_id
        )
    )
    return {
        **{people.organisation_reference(number): name for number, name in organisations},
        **{people.fund_reference(number): name for number, name in funds},
        **dict(persons.all()),
    }


def _line(row: Any, names: dict[str, str], language: Language) -> BookedLine:  # noqa: ANN401 (a row)
    return BookedLine(
        account=row.account,
        label=chart.label(row.account, language),
        party=row.party,
        party_label=names.get(row.party, row.party),
        commodity=find_commodity(row.commodity),
        units=int(row.units),
    )
