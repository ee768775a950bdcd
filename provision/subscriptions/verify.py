"""Read the whole of the money again and say what is not as it must be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision import money
from provision.money import Amount
from provision.subscriptions import chart, journal, openings
from provision.subscriptions.contracts import TWO_CONTRACTS
from provision.subscriptions.journal import Entry, Line
from provision.subscriptions.models import (
    LedgerPosting,
    LedgerTransaction,
    Organisation,
    SplitContract,
    SplitPart,
    SplitRecord,
    Subscription,
)
from provision.subscriptions.people import organisation_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Finding:
    """Something that is wrong: where, and what."""

    where: str
    what: str


@dataclass(frozen=True)
class Head:
    """The end of a journal: note it elsewhere, and nobody can take entries off the end unseen."""

    organisation: str
    entries: int
    hash: str


def verify(session: Session) -> list[Finding]:
    """Return what is wrong in journals, splits and openings: nothing when all is well."""
    return [
        *_journals(session),
        *_mirrors(session),
        *_splits(session),
        *_openings(session),
    ]


def heads(session: Session) -> list[Head]:
    """Return the end of each organisation's journal."""
    last: dict[int, tuple[int, str]] = {}
    rows = session.execute(
        select(
            LedgerTransaction.organisation_id, LedgerTransaction.number, LedgerTransaction.hash
        ).order_by(LedgerTransaction.organisation_id, LedgerTransaction.number)
    )
    for owner, number, sealed in rows:
        last[owner] = (number, sealed)
    names = session.execute(select(Organisation.id, Organisation.name).order_by(Organisation.name))
    return [Head(name, *last.get(owner, (0, journal.GENESIS))) for owner, name in names]


def _journals(session: Session) -> Iterator[Finding]:
    """Numbers without gaps, lines that balance, hashes that are what they were."""
    lines = _lines(session)
    rows = session.scalars(
        select(LedgerTransaction).order_by(
            LedgerTransaction.organisation_id, LedgerTransaction.number
        )
    )
    for owner, written in groupby(rows, lambda row: row.organisation_id):
        previous = journal.GENESIS
        for number, transaction in enumerate(written, start=1):
            where = f"journal {owner}, entry {transaction.number}"
            if transaction.number != number:
                yield Finding(where, f"the number should be {number}")
            found = lines.pop((owner, transaction.number), ())
            yield from _sealed(where, transaction, found, previous)
            previous = transaction.hash
    for owner, number in lines:
        yield Finding(f"journal {owner}, entry {number}", "postings without their transaction")


def _sealed(
    where: str, transaction: LedgerTransaction, lines: tuple[Line, ...], previous: str
) -> Iterator[Finding]:
    sums: Counter[str] = Counter()
    for line in lines:
        sums[line.amount.commodity.code] += line.amount.units
    if len(lines) < journal.FEWEST_LINES or any(sums.values()):
        yield Finding(where, "debits and credits are not equal")
    entry = Entry(
        organisation_id=transaction.organisation_id,
        effective_on=transaction.effective_on,
        text=transaction.text,
        key=transaction.idempotency_key,
        lines=lines,
    )
    if journal.hash_input(entry) != transaction.input_hash:
        yield Finding(where, "its content was changed after it was written")
    sealed = journal.hash_sealed(
        transaction.input_hash, transaction.number, transaction.recorded_on, previous
    )
    if (transaction.previous_hash, transaction.hash) != (previous, sealed):
        yield Finding(where, "it does not follow the entry before it")


def _lines(session: Session) -> dict[tuple[int, int], tuple[Line, ...]]:
    posting = LedgerPosting
    rows = session.execute(
        select(
            posting.organisation_id,
            posting.number,
            posting.account,
            posting.party,
            posting.commodity,
            posting.units,
        ).order_by(posting.organisation_id, posting.number, posting.line)
    )
    return {
        place: tuple(
            Line(row.account, Amount(money.find_commodity(row.commodity), row.units), row.party)
            for row in lines
        )
        for place, lines in groupby(rows, lambda row: (row.organisation_id, row.number))
    }


def _mirrors(session: Session) -> Iterator[Finding]:
    """Find pairs where one owes the other something else than the other claims."""
    claims: Counter[tuple[str, str, str]] = Counter()
    pairs = {chart.CUSTOMER_INVOICES_TO_ISSUE: 1, chart.SUPPLIER_INVOICES_TO_COME: -1}
    rows = session.execute(
        select(
            LedgerPosting.organisation_id,
            LedgerPosting.party,
            LedgerPosting.account,
            LedgerPosting.commodity,
            LedgerPosting.units,
        ).where(LedgerPosting.account.in_(pairs), LedgerPosting.party.like("organisation-%"))
    )
    for owner, party, account, commodity, units in rows:
        me = organisation_reference(owner)
        claimant, debtor = (me, party) if pairs[account] > 0 else (party, me)
        claims[claimant, debtor, commodity] += units
    for (claimant, debtor, commodity), units in claims.items():
        if units:
            where = f"{claimant} and {debtor}"
            yield Finding(where, f"claim and debt differ by {units} {commodity} minor units")


def _splits(session: Session) -> Iterator[Finding]:
    """Each split dealt again from where the one before it ended."""
    parts: dict[tuple[int, int], dict[int, int]] = {}
    for part in session.scalars(select(SplitPart)):
        parts.setdefault((part.contract_id, part.number), {})[part.organisation_id] = part.units
    carried: Counter[tuple[int, str]] = Counter()
    rows = select(SplitRecord).order_by(SplitRecord.contract_id, SplitRecord.number)
    for row in session.scalars(rows):
        shares = session.get_one(SplitContract, row.contract_id).shares
        place = (row.contract_id, row.commodity)
        done = money.split(row.units, [share.parts for share in shares], carried[place])
        carried[place] = row.carried
        owners = [share.organisation_id for share in shares]
        due = dict(zip(owners, done.parts, strict=True))
        if parts.pop((row.contract_id, row.number), {}) != due or row.carried != done.carried:
            where = f"contract {row.contract_id}, split {row.number}"
            yield Finding(where, "the parts are not what the contract gives")
    for contract_id, number in parts:
        yield Finding(f"contract {contract_id}, split {number}", "parts without their split")


def _openings(session: Session) -> Iterator[Finding]:
    """Each subscription has the opening entries that its contract asks for."""
    transaction = LedgerTransaction
    keys = select(transaction.organisation_id, transaction.idempotency_key)
    posted = {(owner, key) for owner, key in session.execute(keys)}
    owed = _who_has_a_part(session)
    for subscription in session.scalars(select(Subscription).order_by(Subscription.id)):
        where, key = f"subscription {subscription.id}", openings.key(subscription.id)
        contract, price = subscription.contract, subscription.price
        if max(contract.valid_from, price.valid_from) > subscription.first_day:
            yield Finding(where, "its price or contract began after its first day")
        expected = owed.get(key, set())
        if price.units and contract.mode != TWO_CONTRACTS:
            expected = expected | {contract.seller_id}
        for owner in sorted(expected):
            if (owner, key) not in posted:
                yield Finding(where, f"journal {owner} has no opening entry")


def _who_has_a_part(session: Session) -> dict[str, set[int]]:
    """Return by key of the split which organisations got more than nothing."""
    rows = session.execute(
        select(SplitRecord.idempotency_key, SplitPart.organisation_id)
        .join(
            SplitPart,
            (SplitPart.contract_id == SplitRecord.contract_id)
            & (SplitPart.number == SplitRecord.number),
        )
        .where(SplitPart.units != 0)
    )
    owners: dict[str, set[int]] = {}
    for key, owner in rows:
        owners.setdefault(key, set()).add(owner)
    return owners
