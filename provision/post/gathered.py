"""How far documents were looked through for letters: what has one is not read again and again.

Numbers of a series have no gaps and are given one after the other, so one number says it all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.post.models import GatheredSeries

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session


@dataclass(frozen=True)
class SeenSeries:
    """A series of an organisation, and the number up to which all that need a letter have one."""

    organisation_id: int
    series: str
    number: int


def numbers(session: Session, since: date) -> dict[tuple[int, str], int]:
    """Return up to which number each series was looked through, for letters since that day."""
    known = select(GatheredSeries).where(GatheredSeries.since == since)
    return {(row.organisation_id, row.series): row.number for row in session.scalars(known)}


def note(session: Session, seen: SeenSeries, since: date) -> None:
    """Note how far a series was looked through, in the unit of work of the letters themselves."""
    row = session.get(GatheredSeries, (seen.organisation_id, seen.series))
    is_further = row is not None and row.since == since and row.number >= seen.number
    if not is_further:
        session.merge(
            GatheredSeries(
                organisation_id=seen.organisation_id,
                series=seen.series,
                since=since,
                number=seen.number,
            )
        )
