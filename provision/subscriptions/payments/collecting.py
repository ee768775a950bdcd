"""Collect what is owed: choose, write down, and hand the files over to the bank.

Nothing is entered in the ledger when files go to the bank: what is owed stays owed until a
statement shows the money (see `answers`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision.database import insert_many
from provision.errors import PaquetError, UsageRefused
from provision.formats.sepa import debit_files, pain008
from provision.formats.sepa.debit_files import HandOver
from provision.formats.sepa.debits import Creditor
from provision.subscriptions.parties import profiles
from provision.subscriptions.payments import answers, debit_proposals, mandates
from provision.subscriptions.payments.collection_rows import debits_of, made_on, of_key
from provision.subscriptions.payments.debit_proposals import DebitPart
from provision.subscriptions.payments.models import (
    Collection,
    CollectionFile,
    CollectionItem,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.formats.sepa.debit_files import DebitFile
    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.payments.debit_proposals import Chosen, CollectionProposal

LONGEST_KEY = 80


@dataclass(frozen=True)
class HandedOver:
    """How a collection goes to the bank: once per `key`, due and made when (local time)."""

    key: str
    collect_on: date
    made_at: datetime
    schema: str = pain008.NEW


def plan(
    session: Session,
    organisation: Organisation,
    handed_over: HandedOver,
    again: frozenset[str] = frozenset(),
) -> CollectionProposal | None:
    """Return what would be collected under this key, or None when that was done already.

    Raises UsageRefused when it was done for another day.
    """
    there = of_key(session, organisation.id, handed_over.key)
    if there is None:
        today = handed_over.made_at.date()
        return debit_proposals.propose(session, organisation, handed_over.collect_on, today, again)
    if there.collect_on != handed_over.collect_on:
        raise UsageRefused(
            f"The collection {there.key[:LONGEST_KEY]!r} is of {there.collect_on}",
            "Give the new one its own --key.",
        )
    return None


def carry_out(
    session: Session,
    organisation: Organisation,
    handed_over: HandedOver,
    again: frozenset[str] = frozenset(),
) -> Collection:
    """Make the collection of what can be collected now, or return the one of this key."""
    planned = plan(session, organisation, handed_over, again)
    chosen = planned.chosen if planned else ()
    return make(session, organisation, chosen, handed_over)


def make(
    session: Session,
    organisation: Organisation,
    chosen: Sequence[Chosen],
    handed_over: HandedOver,
) -> Collection:
    """Write a collection with its debits and the digests of its files, or return it if it is there.

    Raises PaquetError for a day on which the bank cannot collect, and for debits that SEPA refuses.
    """
    there = of_key(session, organisation.id, handed_over.key)
    if there is not None:
        return there
    if not 1 <= len(handed_over.key) <= LONGEST_KEY:
        raise UsageRefused(f"The key of a collection has 1 to {LONGEST_KEY} characters")
    today = handed_over.made_at.date()
    creditor = mandates.creditor(profiles.needed(session, organisation, today))
    session.flush()
    last = select(func.max(Collection.number)).where(Collection.organisation_id == organisation.id)
    collection = Collection(
        organisation_id=organisation.id,
        number=(session.scalar(last) or 0) + 1,
        key=handed_over.key,
        collect_on=handed_over.collect_on,
        made_at=handed_over.made_at.replace(microsecond=0, tzinfo=None).isoformat(),
        message_schema=handed_over.schema,
        creditor=json.dumps(asdict(creditor), sort_keys=True),
    )
    groups = debit_proposals.together(chosen)
    debits = [
        debit_proposals.debit(
            some[0].part.reference, [choice.part for choice in some], some[0].mandate
        )
        for some in groups
    ]
    files = list(debit_files.files(debits, creditor, _hand_over(collection)))
    session.add(collection)
    session.flush()
    insert_many(session, CollectionItem, _item_rows(collection, groups, today))
    insert_many(
        session,
        CollectionFile,
        [_file_row(collection, position, file) for position, file in enumerate(files, 1)],
    )
    return collection


def files(
    session: Session, organisation: Organisation, collection: Collection
) -> Iterator[DebitFile]:
    """Return the files of a collection again, byte by byte as they were.

    Raises PaquetError when a mandate was erased since: then they cannot be made any more.
    """
    profile = profiles.needed(session, organisation, made_on(collection))
    before = mandates.last_collected(session, organisation.id, collection.number)
    debits = [
        debit_proposals.debit(
            items[0].reference,
            [DebitPart(answers.number_of(item), item.units, item.end_to_end) for item in items],
            mandates.read(row, profile, before.get(row.id)),
        )
        for items, row in debits_of(session, collection)
    ]
    digests = _digests(session, collection)
    creditor = Creditor(**json.loads(collection.creditor))
    for file in debit_files.files(debits, creditor, _hand_over(collection)):
        if digests.get(file.message_id) != _sha256(file.content):
            raise PaquetError(
                f"The file {file.name} would not be the one that was made",
                "A mandate or the profile was changed since: nothing was written.",
            )
        yield file


def _hand_over(collection: Collection) -> HandOver:
    return HandOver(
        collect_on=collection.collect_on,
        created_at=datetime.fromisoformat(collection.made_at),
        message_prefix=f"P{collection.organisation_id}-{collection.number}",
        schema=collection.message_schema,
    )


def _item_rows(
    collection: Collection, groups: Sequence[Sequence[Chosen]], today: date
) -> list[dict[str, object]]:
    """Return a row for each invoice; those of one debit follow one another, in one file."""
    placed = [(place, some, choice) for place, some in enumerate(groups) for choice in some]
    return [
        {
            "organisation_id": collection.organisation_id,
            "collection": collection.number,
            "position": position,
            "end_to_end": choice.part.reference,
            "debit": some[0].part.reference if len(some) > 1 else "",
            "series": choice.document.number.series,
            "invoice": choice.document.number.number,
            "units": choice.document.units,
            "mandate_id": choice.row.id,
            "file": place // debit_files.MOST_DEBITS + 1,
            "announced_on": today,
        }
        for position, (place, some, choice) in enumerate(placed, start=1)
    ]


def _file_row(collection: Collection, position: int, file: DebitFile) -> dict[str, object]:
    return {
        "organisation_id": collection.organisation_id,
        "collection": collection.number,
        "position": position,
        "message_id": file.message_id,
        "count": file.count,
        "units": file.total,
        "digest": _sha256(file.content),
    }


def _digests(session: Session, collection: Collection) -> dict[str, str]:
    rows = session.execute(
        select(CollectionFile.message_id, CollectionFile.digest).where(
            CollectionFile.organisation_id == collection.organisation_id,
            CollectionFile.collection == collection.number,
        )
    )
    return {row.message_id: row.digest for row in rows}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
