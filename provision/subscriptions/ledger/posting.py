"""The double-entry ledger: one journal per organisation, only ever added to, each entry once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import case, func, select

from provision.database import insert_many
from provision.days import sensible_day
from provision.money import Amount, find_commodity
from provision.subscriptions.ledger import journal
from provision.subscriptions.ledger.journal import Entry, LedgerRefused, Line
from provision.subscriptions.ledger.models import Closing, LedgerPosting, LedgerTransaction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.database import Row


@dataclass(frozen=True)
class Balance:
    """What was debited and credited to one account of one organisation, in one commodity."""

    organisation_id: int
    account: str
    debit: Amount
    credit: Amount

    @property
    def amount(self) -> Amount:
        """Debit less credit: below zero for a debt or a revenue."""
        return self.debit - self.credit


def post(session: Session, entry: Entry, recorded_on: date) -> LedgerTransaction:
    """Write the entry at the end of its organisation's journal, or return it if it is there.

    Two writers at once never share a number: SQLite takes the write lock when a unit of work
    begins, PostgreSQL's serializable transactions refuse the later one.
    Raises LedgerRefused when it does not balance, or its key was used for something else.
    """
    there = find(session, entry.organisation_id, entry.key)
    if there is not None:
        journal.check(entry)
        _check_same(there, journal.hash_input(entry))
        return there
    post_new(session, [entry], recorded_on)
    written = find(session, entry.organisation_id, entry.key)
    if written is None:
        raise LedgerRefused(f"The entry {entry.key} was not written")
    return written


def post_new(session: Session, entries: Sequence[Entry], recorded_on: date) -> list[int]:
    """Write entries that are not there yet, in this order, and return their numbers.

    The database refuses one whose key was used. Raises LedgerRefused for one that is not sound.
    """
    sensible_day(recorded_on, "the day on which a ledger entry is recorded")
    owners = {entry.organisation_id for entry in entries}
    ends = {owner: end_of(session, owner) for owner in owners}
    closed = {owner: closed_to(session, owner) for owner in owners}
    postings: list[Row] = []
    transactions: list[Row] = []
    for entry in entries:
        journal.check(entry)
        _check_open(entry, closed[entry.organisation_id])
        number, previous = ends[entry.organisation_id]
        sealed = _sealed(entry, number, previous, recorded_on)
        postings += _lines(entry, number)
        transactions.append(sealed)
        ends[entry.organisation_id] = (number + 1, str(sealed["hash"]))
    insert_many(session, LedgerPosting, postings)
    insert_many(session, LedgerTransaction, transactions)
    return [row["number"] for row in transactions]  # type: ignore[misc]


def find(session: Session, organisation_id: int, key: str) -> LedgerTransaction | None:
    """Return the transaction that was written under `key`, if any."""
    return session.scalar(
        select(LedgerTransaction).where(
            LedgerTransaction.organisation_id == organisation_id,
            LedgerTransaction.idempotency_key == key,
        )
    )


def read(session: Session, written: LedgerTransaction) -> Entry:
    """Return the entry as it was asked for."""
    postings = session.scalars(
        select(LedgerPosting)
        .where(
            LedgerPosting.organisation_id == written.organisation_id,
            LedgerPosting.number == written.number,
        )
        .order_by(LedgerPosting.line)
    )
    return Entry(
        organisation_id=written.organisation_id,
        effective_on=written.effective_on,
        text=written.text,
        key=written.idempotency_key,
        lines=tuple(
            Line(line.account, _amount(line.commodity, line.units), line.party) for line in postings
        ),
        journal=written.journal,
        piece=written.piece,
        evidence=written.evidence,
    )


@dataclass(frozen=True)
class Sight:
    """Which entries are looked at: of one organisation, effective by a day, known by a day.

    `known` asks what the books said then: entries that were recorded later are not seen, whatever
    their effective day.
    """

    organisation_id: int | None = None
    day: date | None = None
    known: date | None = None


EVERYTHING = Sight()


def balance(session: Session, sight: Sight = EVERYTHING) -> list[Balance]:
    """Return debits and credits by organisation, account and commodity, as far as `sight` goes."""
    units = LedgerPosting.units
    query = (
        select(
            LedgerPosting.organisation_id,
            LedgerPosting.account,
            LedgerPosting.commodity,
            func.sum(case((units > 0, units), else_=0)),
            func.sum(case((units < 0, -units), else_=0)),
        )
        .join(
            LedgerTransaction,
            (LedgerTransaction.organisation_id == LedgerPosting.organisation_id)
            & (LedgerTransaction.number == LedgerPosting.number),
        )
        .group_by(LedgerPosting.organisation_id, LedgerPosting.account, LedgerPosting.commodity)
        .order_by(LedgerPosting.organisation_id, LedgerPosting.account, LedgerPosting.commodity)
    )
    if sight.organisation_id is not None:
        query = query.where(LedgerPosting.organisation_id == sight.organisation_id)
    if sight.day is not None:
        query = query.where(LedgerTransaction.effective_on <= sight.day)
    if sight.known is not None:
        query = query.where(LedgerTransaction.recorded_on <= sight.known)
    return [
        Balance(owner, account, _amount(code, debit), _amount(code, credit))
        for owner, account, code, debit, credit in session.execute(query)
    ]


def party_units(
    session: Session, organisation_id: int, account: str, party: str, commodity: str = "EUR"
) -> int:
    """Return debit less credit of one party on one account, in minor units of the commodity."""
    total = session.scalar(
        select(func.sum(LedgerPosting.units)).where(
            LedgerPosting.organisation_id == organisation_id,
            LedgerPosting.account == account,
            LedgerPosting.party == party,
            LedgerPosting.commodity == commodity,
        )
    )
    return int(total or 0)


def _check_same(there: LedgerTransaction, asked: str) -> None:
    if there.input_hash != asked:
        raise LedgerRefused(
            f"The key {there.idempotency_key} was used for a different ledger entry",
            "An entry is never rewritten: post a correction under its own key.",
        )


def end_of(session: Session, organisation_id: int) -> tuple[int, str]:
    """Return the next number of a journal and the hash that it follows."""
    last = session.execute(
        select(LedgerTransaction.number, LedgerTransaction.hash)
        .where(LedgerTransaction.organisation_id == organisation_id)
        .order_by(LedgerTransaction.number.desc())
        .limit(1)
    ).first()
    return (1, journal.GENESIS) if last is None else (last.number + 1, last.hash)


def closed_to(session: Session, organisation_id: int) -> date | None:
    """Return the last day that takes no more entries, if there is one."""
    return session.scalar(
        select(func.max(Closing.last_day)).where(Closing.organisation_id == organisation_id)
    )


def _check_open(entry: Entry, closed: date | None) -> None:
    if closed is not None and entry.effective_on <= closed:
        raise LedgerRefused(
            f"The books are closed up to {closed}: {entry.effective_on} is too late",
            "Enter it on a day that is open.",
        )


def _sealed(entry: Entry, number: int, previous: str, recorded_on: date) -> Row:
    asked = journal.hash_input(entry)
    return {
        "organisation_id": entry.organisation_id,
        "number": number,
        "effective_on": entry.effective_on,
        "recorded_on": recorded_on,
        "text": entry.text,
        "idempotency_key": entry.key,
        "input_hash": asked,
        "previous_hash": previous,
        "hash": journal.hash_sealed(asked, number, recorded_on, previous),
        "journal": entry.journal,
        "piece": entry.piece,
        "evidence": entry.evidence,
    }


def _lines(entry: Entry, number: int) -> list[Row]:
    return [
        {
            "organisation_id": entry.organisation_id,
            "number": number,
            "line": position,
            "account": line.account,
            "party": line.party,
            "commodity": line.amount.commodity.code,
            "units": line.amount.units,
        }
        for position, line in enumerate(entry.lines, start=1)
    ]


def _amount(commodity: str, units: int) -> Amount:
    """Make a sum whole again: PostgreSQL adds bigints up to a numeric."""
    return Amount(find_commodity(commodity), int(units))
