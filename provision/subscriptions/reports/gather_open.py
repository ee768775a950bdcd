"""What is open on subscribers' invoices at the end of a report, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.subscriptions.documents import open_items
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.payments.models import DunningStep
from provision.subscriptions.reports import gather_scope
from provision.subscriptions.reports.facts import Open
from provision.subscriptions.reports.open_invoices import STEPS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy.orm import Session

    from provision.subscriptions.documents.open_items import OpenItem
    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.reports.gather_scope import Scope


def open_invoices(
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
            invoice=item.shown,
            subscriber_reference=item.party,
            issued=item.issued_on,
            due=item.due_on,
            cents_open=item.units,
            non_profit=_is_non_profit(item),
            dunning_step=steps.get(item.number, 0),
            fraud=(parties[item.number.organisation_id].name, item.shown) in frauds,
        )
        for item in open_items.claims(session, scope.until, gather_scope.of_documents(scope))
    )


def _steps(session: Session, scope: Scope) -> dict[Number, int]:
    """Return the last step that each invoice had reached at the end of the report.

    That a suspended bundle was opened again ends its reminders: they begin anew.
    """
    rows = session.execute(
        select(
            DunningStep.organisation_id, DunningStep.series, DunningStep.number, DunningStep.step
        )
        .where(DunningStep.reached_on <= scope.until)
        .order_by(DunningStep.position)
    )
    return {
        Number(owner, series, number): STEPS.index(step) if step in STEPS else 0
        for owner, series, number, step in rows
    }


def _is_non_profit(item: OpenItem) -> bool:
    """Return whether it was one on the day; who was forgotten is taken for a person."""
    return item.person is not None and item.person.kind == "non-profit"
