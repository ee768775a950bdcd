"""All facts of one report: what the registry knows, and what a file tells beside it.

Scale: what grows with documents is added up by the database; rows are read one by one only for
subscriptions, for documents that are open, and for those that were paid in parts.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import select

from provision.errors import PaquetError
from provision.subscriptions.offers.models import Fund
from provision.subscriptions.reports import (
    gather_given,
    gather_lives,
    gather_money,
    gather_open,
    gather_scope,
    gather_shares,
)
from provision.subscriptions.reports.facts import (
    CashAtHand,
    Cost,
    Facts,
    Given,
    Income,
    ReportParty,
)
from provision.subscriptions.reports.months import month_of, shift, year_until

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.orm import Session

    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.reports.factsfile import FactsFile
    from provision.subscriptions.reports.gather_scope import Scope

Owned = TypeVar("Owned", CashAtHand, Cost, Given, Income)
Money = TypeVar("Money", Cost, Income)
LONGEST_PAID = 12  # months that a term is paid for at once


def gather(session: Session, scope: Scope, told: FactsFile) -> Facts:
    """Return the facts of a report; nothing is written.

    Raises UsageRefused for an unknown territory, PaquetError when the file speaks of organisations
    that are not in the registry.
    """
    parties = gather_scope.parties(session, scope)
    _check_names(told, parties)
    since = _since(scope.until)
    lives, rates = gather_lives.lives(session, scope, parties)
    paid = gather_shares.shares(session, scope, since)
    first_month = year_until(scope.until)[0]
    in_the_year = {
        share: cents
        for share, cents in paid.items()
        if share.month >= gather_shares.month_name(first_month)
    }
    funds = {fund.id: fund for fund in session.scalars(select(Fund))}
    came, went = gather_money.passed(session, scope, since, parties)
    given = gather_given.time_given(session, scope, parties, told.commons)
    incomes = (
        *gather_money.incomes(paid, parties),
        *gather_money.received(session, scope, since, parties),
        *came,
        *told.incomes(since, scope.until),
    )
    return Facts(
        title=told.title or "",
        until=scope.until,
        paid_cents=gather_shares.paid(session, scope, first_month),
        parties=_parties(scope, parties, told),
        lives=lives,
        rates=rates,
        portions=gather_money.portions(in_the_year, parties, funds, scope.language),
        incomes=_alone(scope, _own(scope, parties, incomes)),
        costs=_alone(scope, _own(scope, parties, (*went, *told.costs(since, scope.until)))),
        open_invoices=gather_open.open_invoices(session, scope, parties, told.frauds()),
        given=_own(scope, parties, (*given, *told.given())),
        reciprocities=(
            *gather_given.reciprocities(session, scope, parties),
            *told.reciprocities(),
        ),
        pledges=told.pledges(),
        cash=_own(scope, parties, told.at_hand(scope.until)),
    )


def _since(until: date) -> date:
    """Return the first day that a figure of the report looks at.

    Thresholds look at the whole year before; a year's term that was paid eleven months before the
    first month still carries it.
    """
    return min(date(until.year - 1, 1, 1), shift(month_of(until), 2 - 2 * LONGEST_PAID))


def _check_names(told: FactsFile, parties: Mapping[int, Organisation]) -> None:
    unknown = told.organisations - {organisation.name for organisation in parties.values()}
    if unknown:
        raise PaquetError(
            f"The facts speak of {min(unknown)}, which is no organisation of the registry",
            "Write its name as `paquet organisation list` shows it.",
        )


def _parties(
    scope: Scope, parties: Mapping[int, Organisation], told: FactsFile
) -> tuple[ReportParty, ...]:
    rescrits = told.rescrits()
    return tuple(
        ReportParty(
            organisation.name,
            "association" if organisation.kind == "association" else "business",
            rescrits.get(organisation.name),
        )
        for organisation in parties.values()
        if scope.holds(organisation)
    )


def _own(
    scope: Scope, parties: Mapping[int, Organisation], rows: Iterable[Owned]
) -> tuple[Owned, ...]:
    """Return the rows of the organisations that the report is about."""
    names = {organisation.name for organisation in parties.values() if scope.holds(organisation)}
    return tuple(row for row in rows if row.organisation in names)


def _alone(scope: Scope, rows: tuple[Money, ...]) -> tuple[Money, ...]:
    """Of one organisation alone, what another paid it is income, and what it paid is a cost."""
    if scope.organisation_id is None:
        return rows
    return tuple(replace(row, between=False) for row in rows)
