"""Collections as they lie in the registry, and what each of their debits pays."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.subscriptions.payments.models import Collection, CollectionItem, MandateRow

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session


def items_of(session: Session, collection: Collection) -> list[tuple[CollectionItem, MandateRow]]:
    """Return what a collection collects, with the mandates, in its order."""
    rows = session.execute(
        select(CollectionItem, MandateRow)
        .join(MandateRow, MandateRow.id == CollectionItem.mandate_id)
        .where(
            CollectionItem.organisation_id == collection.organisation_id,
            CollectionItem.collection == collection.number,
        )
        .order_by(CollectionItem.position)
    )
    return [(item, row) for item, row in rows]


def debits_of(
    session: Session, collection: Collection
) -> list[tuple[list[CollectionItem], MandateRow]]:
    """Return the same as the bank has it: what each debit pays, with its mandate."""
    debits: dict[str, tuple[list[CollectionItem], MandateRow]] = {}
    for item, row in items_of(session, collection):
        debits.setdefault(item.reference, ([], row))[0].append(item)
    return list(debits.values())


def of_key(session: Session, organisation_id: int, key: str) -> Collection | None:
    """Return the collection that was made under `key`, if any."""
    return session.scalar(
        select(Collection).where(
            Collection.organisation_id == organisation_id, Collection.key == key
        )
    )


def numbered(session: Session, organisation_id: int, number: int) -> Collection:
    """Return the collection of an organisation that has this number."""
    return session.get_one(Collection, (organisation_id, number))


def everyone(session: Session, organisation_id: int) -> list[Collection]:
    """Return the collections of an organisation, the latest first."""
    return list(
        session.scalars(
            select(Collection)
            .where(Collection.organisation_id == organisation_id)
            .order_by(Collection.number.desc())
        )
    )


def coming(session: Session, today: date) -> list[Collection]:
    """Return the collections of all whose day is still to come."""
    after = select(Collection).where(Collection.collect_on > today)
    return list(session.scalars(after.order_by(Collection.organisation_id, Collection.number)))


def made_on(collection: Collection) -> date:
    """Return the day on which a collection was made and announced."""
    return datetime.fromisoformat(collection.made_at).date()
