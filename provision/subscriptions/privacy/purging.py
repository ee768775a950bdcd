"""What retention rules take on a day: found first, shown with its reason, then taken one by one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, select, union_all

from provision.columns import DAY
from provision.registry.models import Bundle, Device, Order, Subscriber
from provision.registry.runs import day_of
from provision.subscriptions.documents.models import Allocation, Invoice
from provision.subscriptions.documents.receipt_models import Receipt
from provision.subscriptions.parties.models import Identity, PersonReference
from provision.subscriptions.payments import payouts
from provision.subscriptions.payments.payout_models import PayoutPaymentRow
from provision.subscriptions.privacy import archive, erasing, retention, tables
from provision.subscriptions.privacy.models import ArchivedIdentity, Erasure, Purged
from provision.subscriptions.selling.models import Subscription

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from sqlalchemy import ColumnElement, Executable, Subquery
    from sqlalchemy.orm import Session

    from provision.database import Base
    from provision.registry.secrets import Safe
    from provision.registry.states import Told

SUBSCRIBER, DEVICE = "subscriber", "device"
DOCUMENT = ("organisation_id", "series", "number")
# Tables that refer to identities, and of which the day is known or does not count.
TIMED = frozenset({"invoice", "receipt", "archived_identity", "archive_access"})
IDENTITY, ARCHIVED, CARD_PAYMENT = "identity", "archived identity", "card payment"

OF_KIND: Mapping[
    str, type[Subscriber | Device | Identity | ArchivedIdentity | PayoutPaymentRow]
] = MappingProxyType(
    {
        SUBSCRIBER: Subscriber,
        DEVICE: Device,
        IDENTITY: Identity,
        ARCHIVED: ArchivedIdentity,
        CARD_PAYMENT: PayoutPaymentRow,
    }
)


@dataclass(frozen=True)
class Going:
    """A thing whose time is over: its kind, its number, the rule, and where the rule counts from.

    `stays` says why it cannot go yet, or nothing.
    """

    rule: str
    kind: str
    key: str
    counted_from: date
    kept_until: date
    stays: str = ""


def due(session: Session, on: date) -> list[Going]:
    """Return all whose time is over on the day `on`, and nothing that is younger.

    A subscriber comes last: erasing one takes its names and devices along.
    """
    names = [*_archived(session, on), *_identities(session, on)]
    referred = _referred(session) if names else set()
    return [
        *(going for going in names if int(going.key) not in referred),
        *_devices(session, on),
        *_payers(session, on),
        *_subscribers(session, on),
    ]


def take(session: Session, safe: Safe, going: Going, told: Told, on: date) -> tuple[str, ...]:
    """Take one thing in this unit of work, and record that it went: no word of what it said.

    Return the folders of the kits' folder that go with it.
    """
    row = session.get(OF_KIND[going.kind], going.key if going.kind == DEVICE else int(going.key))
    kits: tuple[str, ...] = ()
    if row is None or _is_gone(session, row):
        return kits  # somebody else was faster
    if isinstance(row, Subscriber):
        kits = erasing.erase(session, safe, row, told, on).kits
    elif isinstance(row, ArchivedIdentity):
        archive.forget(session, row.identity_id)
    elif isinstance(row, PayoutPaymentRow):
        payouts.forget_payer(row)
    else:
        kits = (f"{row.user.address}/{row.id}",) if isinstance(row, Device) else ()
        session.delete(row)
    record(session, going, on)
    return kits


def record(session: Session, going: Going, on: date) -> None:
    """Record that a thing went: no word of what it said."""
    session.add(
        Purged(
            purged_on=on,
            rule=going.rule,
            kind=going.kind,
            key=going.key,
            counted_from=going.counted_from,
        )
    )
    session.flush()


def _is_gone(session: Session, row: Base) -> bool:
    """Say whether what goes of a row that stays went already."""
    if isinstance(row, PayoutPaymentRow):
        return not (row.payer or row.what)
    return isinstance(row, Subscriber) and erasing.is_erased(session, row.id)


def _archived(session: Session, on: date) -> Iterator[Going]:
    """Yield the identities of the archive that no document needs any longer."""
    document = _documents()
    last = func.max(document.c.issued_on, type_=DAY)
    query = (
        select(ArchivedIdentity.identity_id, func.coalesce(last, ArchivedIdentity.recorded_on))
        .outerjoin(document, document.c.identity_id == ArchivedIdentity.identity_id)
        .group_by(ArchivedIdentity.identity_id, ArchivedIdentity.recorded_on)
        .order_by(ArchivedIdentity.identity_id)
    )
    yield from _over(session, query, (retention.ACCOUNTING, ARCHIVED), on)


def _identities(session: Session, on: date) -> Iterator[Going]:
    """Yield what subscribers were called before, once no document needs it: not the newest."""
    newest = select(func.max(Identity.id)).group_by(Identity.subscriber_id)
    document = _documents()
    last = func.max(document.c.issued_on, type_=DAY)
    query = (
        select(Identity.id, func.coalesce(last, Identity.recorded_on))
        .outerjoin(document, document.c.identity_id == Identity.id)
        .where(Identity.id.not_in(newest))
        .group_by(Identity.id, Identity.recorded_on)
        .order_by(Identity.id)
    )
    yield from _over(session, query, (retention.ACCOUNTING, IDENTITY), on)


def _documents() -> Subquery:
    """Return the identity and the day of each document that names somebody."""
    return union_all(
        select(Invoice.identity_id, Invoice.issued_on),
        select(Receipt.identity_id, Receipt.issued_on),
    ).subquery()


def _over(session: Session, query: Executable, what: tuple[str, str], on: date) -> Iterator[Going]:
    code, kind = what
    rule = retention.rule(code)
    for key, counted_from in session.execute(query):
        if rule.is_over(counted_from, on):
            yield Going(code, kind, str(key), counted_from, rule.last_day(counted_from))


def _referred(session: Session) -> set[int]:
    """Return the identities that something beside invoices refers to: their time is not known."""
    there = tables.reflected(session)
    return {
        identity_id
        for table in there.sorted_tables
        if "identity_id" in table.c and table.name not in TIMED
        for identity_id in session.scalars(select(table.c.identity_id).distinct())
    }


def _subscribers(session: Session, on: date) -> Iterator[Going]:
    """Yield who has neither bundle nor subscription, and was not in contact for years."""
    erased, busy = set(session.scalars(select(Erasure.subscriber_id))), _busy(session)
    customers = {
        *session.scalars(select(Subscription.subscriber_id).join(Invoice)),
        *session.scalars(select(PersonReference.subscriber_id).join(Receipt, _gave())),
    }
    for subscriber_id, last in sorted(_contacts(session).items()):
        code = retention.CLIENT if subscriber_id in customers else retention.PROSPECT
        rule = retention.rule(code)
        if subscriber_id in erased | busy or not rule.is_over(last, on):
            continue
        planned = erasing.look(session, session.get_one(Subscriber, subscriber_id), on)
        stays = "; ".join(obstacle.what for obstacle in planned.obstacles)
        yield Going(code, SUBSCRIBER, str(subscriber_id), last, rule.last_day(last), stays)


def _busy(session: Session) -> set[int]:
    """Return the subscribers with a bundle that lives or a subscription that runs."""
    bundles = select(Bundle.subscriber_id).where(Bundle.state != "erased")
    running = select(Subscription.subscriber_id).where(Subscription.state != "ended")
    return {*session.scalars(bundles), *session.scalars(running)}


def _contacts(session: Session) -> dict[int, date]:
    """Return the day of the last contact with each subscriber."""
    of_invoice = and_(*(getattr(Allocation, key) == getattr(Invoice, key) for key in DOCUMENT))
    owner = Subscription.subscriber_id
    billed = select(owner, func.max(Invoice.issued_on)).join(Invoice).group_by(owner)
    paid = (
        select(owner, func.max(Allocation.allocated_on))
        .select_from(Subscription)
        .join(Invoice)
        .join(Allocation, of_invoice)
        .group_by(owner)
    )
    giver = PersonReference.subscriber_id
    gave = select(giver, func.max(Receipt.issued_on)).join(Receipt, _gave()).group_by(giver)
    queries: tuple[Executable, ...] = (
        select(Subscriber.id, Subscriber.created_at),
        select(Order.subscriber_id, func.max(Order.placed_at)).group_by(Order.subscriber_id),
        select(owner, func.max(Subscription.first_day)).group_by(owner),
        select(owner, func.max(Subscription.last_day)).group_by(owner),
        billed,
        paid,
        gave,
    )
    last: dict[int, date] = {}
    for query in queries:
        for subscriber_id, moment in session.execute(query):
            if moment is not None:
                day = day_of(moment) if isinstance(moment, datetime) else moment
                last[subscriber_id] = max(day, last.get(subscriber_id, day))
    return last


def _gave() -> ColumnElement[bool]:
    return Receipt.party == PersonReference.reference


def _devices(session: Session, on: date) -> Iterator[Going]:
    """Yield devices that were revoked long ago."""
    rule = retention.rule(retention.INACTIVE)
    revoked = select(Device).where(Device.revoked_at.is_not(None)).order_by(Device.id)
    for device in session.scalars(revoked):
        day = None if device.revoked_at is None else day_of(device.revoked_at)
        if day is not None and rule.is_over(day, on):
            yield Going(rule.code, DEVICE, device.id, day, rule.last_day(day))


def _payers(session: Session, on: date) -> Iterator[Going]:
    """Yield card payments that nobody explained, long ago."""
    rule = retention.rule(retention.PAYER)
    for payment in payouts.naming(session):
        day = payment.paid_on
        if rule.is_over(day, on):
            yield Going(rule.code, CARD_PAYMENT, str(payment.id), day, rule.last_day(day))
