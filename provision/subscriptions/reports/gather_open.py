"""What subscribers still owe at the end of a report, document by document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, func, select

from provision.subscriptions.documents import numbering
from provision.subscriptions.documents.drafts import CLAIMS
from provision.subscriptions.documents.models import Allocation, Invoice
from provision.subscriptions.parties import identities
from provision.subscriptions.parties.models import Identity
from provision.subscriptions.payments.models import DunningStep
from provision.subscriptions.reports import gather_scope
from provision.subscriptions.reports.facts import Open
from provision.subscriptions.reports.unpaid import STEPS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.reports.gather_scope import Scope

PIECE = 5_000  # rows that are held at one time


def unpaid(
    session: Session,
    scope: Scope,
    parties: Mapping[int, Organisation],
    frauds: Collection[tuple[str, str]],
) -> tuple[Open, ...]:
    """Return what is open at the end of the report; `frauds` are (organisation, number) marks.

    An invoice of which something was set aside later counts as it was on that day.
    """
    steps = _steps(session, scope)
    return tuple(
        Open(
            invoice=numbering.shown(series, number),
            subscriber_reference=party,
            issued=issued,
            due=due,
            cents_open=int(units),
            non_profit=_non_profit(content),
            dunning_step=steps.get((owner, series, number), 0),
            fraud=(parties[owner].name, numbering.shown(series, number)) in frauds,
        )
        for owner, series, number, party, issued, due, units, content in session.execute(
            _left(scope)
        )
    )


def _steps(session: Session, scope: Scope) -> dict[tuple[int, str, int], int]:
    """Return the last step that each invoice had reached at the end of the report, by its place.

    That a suspended bundle was opened again ends its reminders: they begin anew.
    """
    one = DunningStep
    rows = session.execute(
        select(one.organisation_id, one.series, one.number, one.step)
        .where(one.reached_on <= scope.until)
        .order_by(one.position)
    )
    found = {}
    for owner, series, number, step in rows:
        found[owner, series, number] = STEPS.index(step) if step in STEPS else 0
    return found


def _left(scope: Scope) -> Select[*tuple[Any, ...]]:
    """Ask for the invoices on which something is open, with what is left and who it is for."""
    key = (Allocation.organisation_id, Allocation.series, Allocation.number)
    against = (
        select(*key, func.sum(Allocation.units).label("units"))
        .where(Allocation.allocated_on <= scope.until)
        .group_by(*key)
        .subquery()
    )
    left = Invoice.gross - func.coalesce(against.c.units, 0)
    one = Invoice
    columns = (one.organisation_id, one.series, one.number, one.party, one.issued_on, one.due_on)
    same = (getattr(one, column.key) == against.c[column.key] for column in key)
    return (
        select(*columns, left, Identity.content)
        .outerjoin(against, and_(*same))
        .outerjoin(Identity, Identity.id == one.identity_id)
        .where(
            one.kind.in_(CLAIMS),
            one.issued_on <= scope.until,
            left > 0,
            gather_scope.of_documents(scope),
        )
        .order_by(one.organisation_id, one.series, one.number)
        .execution_options(yield_per=PIECE)
    )


def _non_profit(content: str | None) -> bool:
    """Return whether it was one on the day; who was forgotten is taken for a person."""
    return content is not None and identities.parse(content).kind == "non-profit"
