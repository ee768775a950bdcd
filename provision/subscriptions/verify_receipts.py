"""Whether receipts are as they were written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.subscriptions import numbering
from provision.subscriptions.giving import sealing
from provision.subscriptions.giving.models import Receipt
from provision.subscriptions.invariants import Finding
from provision.subscriptions.verify_journals import BATCH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session


def seals(session: Session) -> Iterator[Finding]:
    """Hash every receipt again."""
    one = Receipt
    query = select(*one.__table__.columns).order_by(one.organisation_id, one.series, one.number)
    for row in session.execute(query, execution_options={"yield_per": BATCH}).mappings():
        if sealing.digest(dict(row)) != row["digest"]:
            shown = numbering.shown(row["series"], row["number"])
            yield Finding(
                f"organisation {row['organisation_id']}, receipt {shown}",
                "its content was changed after it was issued",
            )
