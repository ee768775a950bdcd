"""Erase a person: the active base forgets, documents and journals stay as they were sealed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import delete, update

from provision.errors import PaquetError, UsageRefused
from provision.registry.models import KnownFinding, SealedSecret
from provision.subscriptions.parties import people
from provision.subscriptions.parties.models import Identity
from provision.subscriptions.payments import mandates
from provision.subscriptions.privacy import (
    archive,
    gathering,
    quoting,
    retention,
    standing,
    tables,
)
from provision.subscriptions.privacy.models import Erasure
from provision.subscriptions.privacy.tables import HOLDINGS, ROOT, Fate

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable
    from datetime import date

    from sqlalchemy import MetaData
    from sqlalchemy.orm import Session

    from provision.registry.models import Subscriber
    from provision.registry.secrets import Safe
    from provision.registry.states import Told
    from provision.subscriptions.privacy.gathering import Gathered, Row
    from provision.subscriptions.privacy.standing import Obstacle

NOBODY = "erased.invalid"  # RFC 2606: no mail ever goes there
LONGEST_WHY = 200
# What a wish says of the sale, not of the person.
OF_THE_SALE = frozenset(
    {
        "backup_server",
        "cloud",
        "cloud_version",
        "kind",
        "language",
        "plan",
        "quota_bytes",
        "server",
        "sold_by",
        "supported_by",
    }
)
DOCUMENTS = ("invoice", "receipt")


@dataclass(frozen=True)
class Erasing:
    """What erasing one person means: rows by table and fate, and what stands in the way.

    `remains` are kept rows whose free text names the person: the label of a line, for example.
    `kits` are the folders of the kits' folder in which the person's may lie.
    """

    subscriber_id: int
    done: bool
    rows: dict[str, tuple[Fate, int]]
    archived: int
    obstacles: tuple[Obstacle, ...]
    remains: tuple[str, ...]
    kits: tuple[str, ...]


def look(session: Session, subscriber: Subscriber, today: date) -> Erasing:
    """Return what erasing the subscriber would do, and write nothing."""
    there = _known(session)
    return _planned(session, subscriber.id, gathering.gather(session, there, subscriber.id), today)


def erase(session: Session, safe: Safe, subscriber: Subscriber, told: Told, today: date) -> Erasing:
    """Erase the subscriber in this unit of work: all of it or nothing; again, nothing more.

    Raises UsageRefused while something stands in the way, or when the reason names the person.
    """
    there = _known(session)
    gathered = gathering.gather(session, there, subscriber.id)
    planned = _planned(session, subscriber.id, gathered, today)
    if planned.done:
        return planned
    _refuse(planned)
    _check_reason(told.why, gathering.naming(gathering.identifying(gathered)))
    mandates.erase(session, subscriber.id, today, told)
    quoting.forget(session, gathered)
    _forget_bundles(session, gathered)
    _leave_identities(session, safe, gathered, today)
    _forget_rows(session, there, gathered, subscriber.id)
    session.add(
        Erasure(subscriber_id=subscriber.id, erased_on=today, actor=told.actor, why=told.why)
    )
    session.flush()
    session.expire_all()  # rows were changed behind the objects that this session holds
    return replace(planned, done=True)


def is_erased(session: Session, subscriber_id: int) -> bool:
    """Say whether the subscriber was erased."""
    return session.get(Erasure, subscriber_id) is not None


def _known(session: Session) -> MetaData:
    """Return the tables, all of them decided upon, or raise PaquetError."""
    there = tables.reflected(session)
    unknown = tables.uncovered(there)
    if unknown:
        raise PaquetError(
            f"Nobody decided yet what becomes of {', '.join(unknown)} when a person is erased",
            "Install a paquet that knows these tables.",
        )
    return there


def _planned(session: Session, subscriber_id: int, gathered: Gathered, today: date) -> Erasing:
    naming = gathering.naming(gathering.identifying(gathered))
    return Erasing(
        subscriber_id=subscriber_id,
        done=is_erased(session, subscriber_id),
        rows={name: (HOLDINGS[name].fate, len(rows)) for name, rows in sorted(gathered.items())},
        archived=len(_needed(gathered, today)),
        obstacles=tuple(standing.obstacles(gathered)),
        remains=tuple(_remaining(gathered, naming)),
        kits=tuple(row["address"] for row in gathered.get("user", ())),
    )


def _refuse(planned: Erasing) -> None:
    if not planned.obstacles:
        return
    first, *others = planned.obstacles
    more = f" (and {len(others)} more: --dry-run shows all)" if others else ""
    raise UsageRefused(
        f"Subscriber {planned.subscriber_id} cannot be erased: {first.what}{more}", first.hint
    )


def _check_reason(why: str, naming: re.Pattern[str]) -> None:
    if not why.strip() or len(why) > LONGEST_WHY:
        raise UsageRefused("The reason is empty or too long", f"Say it in {LONGEST_WHY} letters.")
    if naming.search(why):
        raise UsageRefused(
            "The reason names the person, and it is kept", "Say why, for example: asked by letter."
        )


def _needed(gathered: Gathered, today: date) -> set[int]:
    """Return the identities that the archive must keep: something refers to them.

    A document whose time is over does not count.
    """
    rule = retention.rule(retention.ACCOUNTING)
    return {
        row["identity_id"]
        for name, rows in gathered.items()
        for row in rows
        if row.get("identity_id") is not None
        and not (name in DOCUMENTS and rule.is_over(gathering.day(row["issued_on"]), today))
    }


def _remaining(gathered: Gathered, naming: re.Pattern[str]) -> Iterable[str]:
    for name, rows in gathered.items():
        if HOLDINGS[name].fate is Fate.KEPT:
            for row in rows:
                if any(isinstance(text, str) and naming.search(text) for text in row.values()):
                    shown = " ".join(
                        str(row[key]) for key in ("series", "number", "id") if key in row
                    )
                    yield f"{name} {shown}".strip()


def _forget_bundles(session: Session, gathered: Gathered) -> None:
    """Delete the secrets of bundles, and what checks found in them: messages quote names."""
    bundles = [f"bundle:{row['name']}" for row in gathered.get("bundle", ())]
    session.execute(delete(SealedSecret).where(SealedSecret.owner.in_(bundles)))
    session.execute(delete(KnownFinding).where(KnownFinding.subject.in_(bundles)))


def _leave_identities(session: Session, safe: Safe, gathered: Gathered, today: date) -> None:
    needed = _needed(gathered, today)
    for row in gathered.get("identity", ()):
        identity = session.get_one(Identity, row["id"])
        if identity.id in needed:
            archive.put(session, safe, identity, today)
        else:
            session.delete(identity)
    session.flush()


def _forget_rows(session: Session, there: MetaData, gathered: Gathered, subscriber_id: int) -> None:
    """Blank and delete, the rows that others point to last."""
    for table in reversed(there.sorted_tables):
        rows = gathered.get(table.name, [])
        holding = HOLDINGS[table.name] if rows else None
        keys = list(table.primary_key)
        for row in rows:
            this = [key == row[key.name] for key in keys]
            if holding is not None and holding.fate is Fate.DELETED:
                session.execute(delete(table).where(*this))
            elif holding is not None and holding.fate is Fate.BLANKED:
                blank = {
                    name: _blank(table.name, name, row, subscriber_id) for name in holding.blanked
                }
                session.execute(update(table).where(*this).values(blank))


def _blank(table: str, column: str, row: Row, subscriber_id: int) -> object:
    """Return what stands in a column from now on; domains stay unique."""
    if isinstance(row[column], dict):
        return {
            key: value if key in OF_THE_SALE else people.mark(subscriber_id)
            for key, value in row[column].items()
        }
    if table == ROOT:
        return None if column == "email" else people.mark(subscriber_id)
    return f"{row['name']}.{NOBODY}" if column == "domain" else ""
