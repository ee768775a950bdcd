"""All figures of one report, from its facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.money import half_up
from provision.subscriptions.reports import (
    churn,
    cohorts,
    coordination,
    coverage,
    dependency,
    euro,
    hours,
    open_invoices,
    promises,
    recurring,
    territories,
    thresholds,
    tiers,
)
from provision.subscriptions.reports.months import year_until

if TYPE_CHECKING:
    from datetime import date
    from fractions import Fraction

    from provision.money import Cents
    from provision.subscriptions.reports.facts import Facts
    from provision.subscriptions.reports.open_invoices import Reminded


@dataclass(frozen=True)
class Figures:
    """What the modules of this room make of the facts, over the twelve months until `until`.

    Where everybody works alone there is no `coordination` to judge. Readers know a figure by the
    name of its field: `unpaid` is what is open, by age.
    """

    title: str
    until: date
    months: tuple[date, ...]
    received: tuple[euro.Received, ...]
    coordination: coordination.Coordination | None
    coverage: tuple[coverage.Coverage, ...]
    dependency: dependency.Dependency
    recurring_ratio: Fraction | None
    movements: tuple[recurring.RecurringMovement, ...]
    churn: tuple[churn.Churn, ...]
    cohorts: tuple[cohorts.Cohort, ...]
    tiers: tuple[tiers.TierFigures, ...]
    unpaid: tuple[open_invoices.OpenByAge, ...]
    reminded: tuple[Reminded, ...]
    time: tuple[hours.HoursGiven, ...]
    valuation: hours.Valuation | None
    reciprocity: tuple[promises.Kept, ...]
    pledges: tuple[promises.PledgeState, ...]
    sales: tuple[territories.Sales, ...]
    stays: tuple[territories.Stays, ...]
    watch: tuple[thresholds.Watch, ...]


def figures(facts: Facts, hourly_cents: Cents | None = None) -> Figures:
    """Return the figures; time is valued at `hourly_cents` when that is given, on `until`.

    Raises PaquetError where facts contradict each other, UsageRefused for a rate outside 30-45 €.
    """
    months = year_until(facts.until)
    moved = recurring.movements(facts.lives, facts.rates, months)
    served = recurring.served(facts.lives, facts.rates, facts.until)
    time = hours.time_given(facts.given, months)
    seconds = sum(given.seconds for given in time)
    is_alone = coordination.is_alone(facts.lives, facts.portions)
    return Figures(
        title=facts.title,
        until=facts.until,
        months=months,
        received=euro.received(facts.portions, facts.paid_cents),
        coordination=None if is_alone else coordination.coordination(facts.portions),
        coverage=coverage.coverage(facts.incomes, facts.costs, months),
        dependency=dependency.dependency(facts.incomes, facts.costs, facts.cash, months),
        recurring_ratio=recurring.recurring_ratio(facts.incomes, months),
        movements=moved,
        churn=churn.churn(moved),
        cohorts=cohorts.cohorts(facts.lives, months),
        tiers=tiers.tiers(served, _monthly_cost(facts, months)),
        unpaid=open_invoices.open_by_age(facts.open_invoices, facts.until),
        reminded=open_invoices.reminded(facts.open_invoices),
        time=time,
        valuation=hours.value(seconds, hourly_cents, facts.until) if hourly_cents else None,
        reciprocity=promises.reciprocity(facts.reciprocities),
        pledges=promises.pledged(facts.pledges),
        sales=territories.sales(served),
        stays=territories.stays(facts.portions),
        watch=thresholds.watch(facts.parties, facts.incomes, facts.until, thresholds.known()),
    )


def _monthly_cost(facts: Facts, months: tuple[date, ...]) -> Cents:
    """Return the mean incompressible cost of the months that had some, rounded half up."""
    carried = coverage.coverage((), facts.costs, months)
    costs = [month.cost for month in carried if month.cost]
    return half_up(sum(costs), len(costs)) if costs else 0
