"""Time that was given, and what was given back under reciprocity contracts, from the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.days import ONE_DAY
from provision.subscriptions.commons import reciprocity
from provision.subscriptions.commons.models import ReciprocityContract, TimeGiven
from provision.subscriptions.offers.terms import Term
from provision.subscriptions.reports.facts import Given, Reciprocity
from provision.subscriptions.reports.months import year_until

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy.orm import Session

    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.reports.gather_scope import Scope


def time_given(
    session: Session,
    scope: Scope,
    parties: Mapping[int, Organisation],
    commons: Collection[str],
) -> tuple[Given, ...]:
    """Return the time of the twelve months; what was given for one of `commons` went into them.

    All that nobody in particular gave counts as given by one person.
    """
    rows = session.execute(
        select(
            TimeGiven.given_on,
            TimeGiven.giver,
            TimeGiven.organisation_id,
            TimeGiven.seconds,
            TimeGiven.purpose,
        )
        .where(TimeGiven.given_on.between(year_until(scope.until)[0], scope.until))
        .order_by(TimeGiven.organisation_id, TimeGiven.number)
    )
    return tuple(
        Given(
            day=day,
            person_reference=giver,
            organisation=parties[organisation_id].name,
            seconds=seconds,
            commons=purpose in commons,
        )
        for day, giver, organisation_id, seconds, purpose in rows
    )


def reciprocities(
    session: Session, scope: Scope, parties: Mapping[int, Organisation]
) -> tuple[Reciprocity, ...]:
    """Return what was meant and what was given in the twelve months, contract by contract."""
    days = Term(year_until(scope.until)[0], scope.until + ONE_DAY)
    pairs = session.execute(
        select(ReciprocityContract.giver_id, ReciprocityContract.receiver_id)
        .where(ReciprocityContract.valid_from <= scope.until)
        .distinct()
        .order_by(ReciprocityContract.giver_id, ReciprocityContract.receiver_id)
    ).all()
    statements = [
        reciprocity.statement(session, parties[giver_id], parties[receiver_id], days)
        for giver_id, receiver_id in pairs
        if scope.holds(parties[giver_id]) or scope.holds(parties[receiver_id])
    ]
    return tuple(
        Reciprocity(
            from_party=said.giver,
            to_party=said.receiver,
            rate_basis_points=said.basis_points,
            base_cents=said.revenue,
            due_cents=said.meant,
            given_cents=said.given,
            period=f"{days.starts:%Y-%m}/{scope.until:%Y-%m}",
        )
        for said in statements
    )
