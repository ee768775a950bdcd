"""Whether journals are as they were written: closings and seals."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.money import Amount, find_commodity, show_euros
from provision.subscriptions.ledger import closings, journal
from provision.subscriptions.ledger.invariants import Discrepancy
from provision.subscriptions.ledger.journal import Entry, Line
from provision.subscriptions.ledger.models import Closing, LedgerPosting, LedgerTransaction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from sqlalchemy.orm import Session

BATCH = 5_000


def closed(session: Session) -> Iterator[Discrepancy]:
    """Yield every closed period in which something is not as it was."""
    for closing in session.scalars(select(Closing)):
        total = closings.debit_to(session, closing.organisation_id, closing.last_day)
        if total != closing.debit_to_date:
            where = f"journal {closing.organisation_id}, closing of {closing.last_day}"
            yield Discrepancy(
                where,
                f"debits to date are {show_euros(total)}, "
                f"they were {show_euros(closing.debit_to_date)}",
            )
        place = (closing.organisation_id, closing.last_entry)
        last = session.get(LedgerTransaction, place) if closing.last_entry else None
        if (last.hash if last else journal.GENESIS) != closing.hash:
            yield Discrepancy(
                f"journal {closing.organisation_id}, closing of {closing.last_day}",
                "its last entry is not the one that was sealed",
            )


def broken_entries(session: Session) -> Iterator[Discrepancy]:
    """Hash every entry again, and follow the chain that they make."""
    owners = session.scalars(
        select(LedgerTransaction.organisation_id)
        .distinct()
        .order_by(LedgerTransaction.organisation_id)
    ).all()
    for owner in owners:
        previous, after = journal.GENESIS, 0
        while batch := _transactions(session, owner, after):
            lines = _lines(session, owner, after, batch[-1].number)
            for row in batch:
                yield from _unsealed(row, lines.get(row.number, ()), previous)
                previous = row.hash
            after = batch[-1].number


def _transactions(session: Session, owner: int, after: int) -> Sequence[Any]:
    entry = LedgerTransaction
    return session.execute(
        select(*entry.__table__.columns)
        .where(entry.organisation_id == owner, entry.number > after)
        .order_by(entry.number)
        .limit(BATCH)
    ).all()


def _lines(session: Session, owner: int, after: int, last: int) -> dict[int, tuple[Line, ...]]:
    posting = LedgerPosting
    rows = session.execute(
        select(posting.number, posting.account, posting.party, posting.commodity, posting.units)
        .where(posting.organisation_id == owner, posting.number > after, posting.number <= last)
        .order_by(posting.number, posting.line)
    )
    return {
        number: tuple(
            Line(account, Amount(find_commodity(code), units), party)
            for _number, account, party, code, units in lines
        )
        for number, lines in groupby(rows, itemgetter(0))
    }


def _unsealed(row: Any, lines: tuple[Line, ...], previous: str) -> Iterator[Discrepancy]:  # noqa: ANN401 (a row)
    where = f"journal {row.organisation_id}, entry {row.number}"
    entry = Entry(
        organisation_id=row.organisation_id,
        effective_on=row.effective_on,
        text=row.text,
        key=row.idempotency_key,
        lines=lines,
        journal=row.journal,
        piece=row.piece,
        evidence=row.evidence,
    )
    if journal.hash_input(entry) != row.input_hash:
        yield Discrepancy(where, "its content was changed after it was written")
    sealed = journal.hash_sealed(row.input_hash, row.number, row.recorded_on, previous)
    if (row.previous_hash, row.hash) != (previous, sealed):
        yield Discrepancy(where, "it does not follow the entry before it")
