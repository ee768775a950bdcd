"""What checks found and is not mended yet: kept, so that only what changed is told, once.

A finding is known by what was looked at, the name of its check, and its place among those of one
name: its words may change from day to day (a certificate ends in nine days, then in eight).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from provision.registry.models import KnownFinding
from provision.registry.runs import day_of, of_day

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import date, datetime

    from sqlalchemy.orm import Session

WRONG, SEVERE, UNKNOWN = ("error", "warning"), "error", "skipped"


def note(
    session: Session, subject: str, rows: Iterable[Mapping[str, str]], at: datetime
) -> list[KnownFinding]:
    """Keep what a look at `subject` found (rows of `checks.findings.Finding`); return what is new.

    What is not found any more is mended, unless its check could not look.
    """
    places: Counter[str] = Counter()
    seen: set[tuple[str, int]] = set()
    blind, new = set(), []
    open_ones = {(known.check, known.place): known for known in _open(session, subject)}
    for row in rows:
        if row["result"] == UNKNOWN:
            blind.add(row["check"])
        if row["result"] not in WRONG:
            continue
        key = (row["check"], places[row["check"]])
        places[row["check"]] += 1
        seen.add(key)
        known = open_ones.get(key)
        if known is None:
            known = KnownFinding(subject=subject, check=key[0], place=key[1], since=at)
            session.add(known)
            new.append(known)
        elif known.result != SEVERE and row["result"] == SEVERE:
            known.told_at = None  # it became worse: that is told, too
            new.append(known)
        known.result, known.message, known.hint = row["result"], row["message"], row["hint"]
    for key, known in open_ones.items():
        if key not in seen and known.check not in blind:
            known.mended_at = at
    return new


def _open(session: Session, subject: str) -> list[KnownFinding]:
    about = select(KnownFinding).where(
        KnownFinding.subject == subject, KnownFinding.mended_at.is_(None)
    )
    return list(session.scalars(about))


def untold(session: Session) -> list[KnownFinding]:
    """Return what is wrong and was not told yet, the worst first."""
    new = select(KnownFinding).where(
        KnownFinding.told_at.is_(None), KnownFinding.mended_at.is_(None)
    )
    return list(session.scalars(new.order_by(KnownFinding.result, KnownFinding.subject)))


def mended(session: Session) -> list[KnownFinding]:
    """Return what was told and is mended since, and was not told to be so."""
    over = select(KnownFinding).where(
        KnownFinding.told_at.is_not(None),
        KnownFinding.mended_at.is_not(None),
        KnownFinding.over_told_at.is_(None),
    )
    return list(session.scalars(over.order_by(KnownFinding.subject)))


def close_gone(session: Session, kind: str, there: Collection[str], at: datetime) -> None:
    """Count as mended what was found in things of a kind (`bundle`, `server`) that are gone."""
    open_ones = select(KnownFinding).where(
        KnownFinding.subject.startswith(f"{kind}:"), KnownFinding.mended_at.is_(None)
    )
    for known in session.scalars(open_ones):
        if known.subject not in there:
            known.mended_at = known.over_told_at = at


def days_mended(session: Session, until: date) -> set[date]:
    """Return the days (UTC) up to `until` on which findings were mended that are kept still."""
    mended_at = select(KnownFinding.mended_at).where(KnownFinding.mended_at < of_day(until)[1])
    return {day_of(at) for at in session.scalars(mended_at) if at is not None}


def forget(session: Session, day: date) -> None:
    """Delete the findings that were mended on a day."""
    begins, ends = of_day(day)
    over = (KnownFinding.mended_at >= begins) & (KnownFinding.mended_at < ends)
    session.execute(delete(KnownFinding).where(over))


def still_wrong(session: Session) -> int:
    """Return how many findings are open, told or not."""
    count = select(func.count(KnownFinding.id)).where(KnownFinding.mended_at.is_(None))
    return session.scalar(count) or 0
