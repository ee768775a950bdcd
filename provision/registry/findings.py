"""What checks found and is not mended yet: kept, so that only what changed is told, once.

A finding is known by what was looked at and the name of its check; among several of one name by its
words, whose numbers may change from day to day (a certificate ends in nine days, then in eight).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from provision.registry.models import KnownFinding
from provision.registry.runs import day_of, of_day

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy.orm import Session

WRONG, SEVERE, UNKNOWN = ("error", "warning"), "error", "skipped"
NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True)
class LookedAt:
    """What a look at `subject` told: rows of `checks.findings.Finding`.

    It `is_whole` where no check of it failed: what is not in the rows is not there any more.
    """

    subject: str
    rows: Sequence[Mapping[str, str]]
    is_whole: bool = True


def note(session: Session, look: LookedAt, at: datetime) -> list[KnownFinding]:
    """Keep what a look told; return what is new, or became severe.

    What is not found any more is mended, unless nobody could look for it.
    """
    open_ones, new = _open(session, look.subject), []
    wrong = [row for row in look.rows if row["result"] in WRONG]
    known_by = _matched(wrong, open_ones)
    for place, row in enumerate(wrong):
        known = known_by.get(place)
        if known is None:
            known = KnownFinding(subject=look.subject, check=row["check"], place=place, since=at)
            session.add(known)
            new.append(known)
        elif known.result != SEVERE and row["result"] == SEVERE:
            known.told_at = None  # it became worse: that is told, too
            new.append(known)
        known.result, known.message, known.hint = row["result"], row["message"], row["hint"]
    seen = list(known_by.values())
    for known in open_ones:
        if known not in seen and _can_tell(look, known.check):
            known.mended_at = at
    return new


def _matched(
    wrong: Sequence[Mapping[str, str]], open_ones: Sequence[KnownFinding]
) -> dict[int, KnownFinding]:
    """Return which known finding each row is, by its place: the same words first, then any left."""
    left, matched = list(open_ones), dict[int, KnownFinding]()
    for is_same in (_says_the_same, _is_of_check):
        for place, row in enumerate(wrong):
            known = next((known for known in left if is_same(known, row)), None)
            if place not in matched and known is not None:
                matched[place] = known
                left.remove(known)
    return matched


def _says_the_same(known: KnownFinding, row: Mapping[str, str]) -> bool:
    same_words = NUMBERS.sub("", known.message) == NUMBERS.sub("", row["message"])
    return _is_of_check(known, row) and same_words


def _is_of_check(known: KnownFinding, row: Mapping[str, str]) -> bool:
    return known.check == row["check"]


def _can_tell(look: LookedAt, check: str) -> bool:
    """Tell whether this check would have found again what it found before."""
    results = [row["result"] for row in look.rows if row["check"] == check]
    return UNKNOWN not in results and (look.is_whole or bool(results))


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
