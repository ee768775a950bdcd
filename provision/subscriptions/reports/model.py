"""A model to think with: prices, subscribers, costs and hours in; who can live on it out."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from provision.errors import UsageRefused
from provision.money import show_euros, split
from provision.subscriptions.reports import coordination, hours, members
from provision.subscriptions.reports.ratios import WHOLE, ratio

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from provision.money import Cents

AFFORDABLE = 5000  # cents a month: what some members of a workshop already could not pay
LEAST_SEED, MOST_SEED = 100_000, 300_000  # cents that a commons begins with, so as to owe nobody
MOST_SUBSCRIBERS, MOST_CENTS = 10_000_000, 10**12


@dataclass(frozen=True)
class Offer:
    """What is sold: cents a month net of VAT, and how many subscribers pay them."""

    name: str
    monthly_cents: Cents
    subscribers: int


@dataclass(frozen=True)
class Model:
    """The assumptions. Money is cents a month net of VAT; shares and growth are whole numbers.

    `seconds` of paid work go to each subscriber each month, at `hourly_cents`. `shares` say in
    whole parts how revenue is shared; the part named `coordination` pays coordination. `growth`
    is how many subscribers come each month, in the same mix of offers. `seed` is what is there
    to begin with, `commons` the share of paid time for common code in basis points.
    """

    offers: tuple[Offer, ...]
    costs: Mapping[str, Cents] = field(default_factory=dict)
    shares: Mapping[str, int] = field(default_factory=dict)
    hourly_cents: Cents = 3500
    seconds: int = 0
    growth: int = 0
    persons: int = members.FEWEST
    full_time_wage: Cents | None = None
    seed: Cents | None = None
    commons: int = 0
    affordable: Cents = AFFORDABLE


@dataclass(frozen=True)
class ModelOutcome:
    """What the assumptions give a month.

    `work` is rounded up to a cent, `balance` = revenue - cost - work. `break_even` is the smallest
    number of subscribers in the same mix that carries cost and work; None when each subscriber
    costs as much as he pays. `months` until growth gets there: 0 when it is there, None never.
    `notes` are sentences about what does not fit what others have learnt.
    """

    subscribers: int
    revenue: Cents
    cost: Cents
    work: Cents
    balance: Cents
    coverage: Fraction | None
    break_even: int | None
    months: int | None
    receives: Mapping[str, Cents]
    notes: tuple[str, ...]


def solve(model: Model) -> ModelOutcome:
    """Return what the model gives; exact, since nothing is rounded before the end.

    Formulas: revenue = Σ price × subscribers; work = subscribers × seconds × hourly / 3 600;
    coverage = revenue / (cost + work); break-even n = ceil(cost / (average price - work of one)).
    Raises UsageRefused for numbers below zero or beyond all measure.
    """
    _check(model)
    count = sum(offer.subscribers for offer in model.offers)
    revenue = sum(offer.monthly_cents * offer.subscribers for offer in model.offers)
    cost, work = sum(model.costs.values()), ceil(count * _work_of_one(model))
    break_even = _break_even(model, cost)
    return ModelOutcome(
        subscribers=count,
        revenue=revenue,
        cost=cost,
        work=work,
        balance=revenue - cost - work,
        coverage=ratio(revenue, cost + work),
        break_even=break_even,
        months=_months(count, break_even, model.growth),
        receives=_receives(model, revenue),
        notes=tuple(_notes(model, work)),
    )


def _receives(model: Model, revenue: Cents) -> dict[str, Cents]:
    if not model.shares:
        return {}
    parts = split(revenue, [*model.shares.values()]).parts
    return dict(zip(model.shares, parts, strict=True))


def _work_of_one(model: Model) -> Fraction:
    return Fraction(model.seconds * model.hourly_cents, hours.SECONDS_OF_AN_HOUR)


def _break_even(model: Model, cost: Cents) -> int | None:
    """Count each offer by its subscribers; before there are any, each offer the same."""
    heads = [offer.subscribers for offer in model.offers]
    weights = heads if any(heads) else [1] * len(heads)
    prices = [offer.monthly_cents for offer in model.offers]
    average = Fraction(
        sum(price * weight for price, weight in zip(prices, weights, strict=True)), sum(weights)
    )
    margin = average - _work_of_one(model)
    if not cost and margin >= 0:
        return 0
    return ceil(cost / margin) if margin > 0 else None


def _months(count: int, break_even: int | None, growth: int) -> int | None:
    if break_even is None:
        return None
    if count >= break_even:
        return 0
    return ceil(Fraction(break_even - count, growth)) if growth else None


def _check(model: Model) -> None:
    if not model.offers:
        raise UsageRefused("A model needs something that is sold", "Give at least one offer.")
    counts = [model.seconds, model.growth, model.persons, model.commons, model.affordable]
    counts += [offer.subscribers for offer in model.offers]
    amounts = [offer.monthly_cents for offer in model.offers]
    amounts += [*model.costs.values(), model.hourly_cents, model.seed or 0]
    amounts += [model.full_time_wage or 0]
    if min(*counts, *amounts) < 0:
        raise UsageRefused("A number of the model is below zero", "Give 0 or more.")
    if max(counts) > MOST_SUBSCRIBERS or max(amounts) > MOST_CENTS:
        raise UsageRefused(
            "A number of the model is beyond all measure",
            f"Give at most {MOST_SUBSCRIBERS} subscribers and {show_euros(MOST_CENTS)}.",
        )


def _notes(model: Model, work: Cents) -> Iterator[str]:
    yield from _notes_on_prices(model)
    yield from _notes_on_work(model)
    yield from _notes_on_members(model, work)


def _notes_on_prices(model: Model) -> Iterator[str]:
    for offer in model.offers:
        if offer.monthly_cents >= model.affordable:
            yield (
                f"{offer.name} costs {show_euros(offer.monthly_cents)} a month: "
                f"{show_euros(model.affordable)} were too much for some. "
                "Think of a price by means, a free price, or payment in hours."
            )
    if model.seed is not None and not LEAST_SEED <= model.seed <= MOST_SEED:
        yield (
            f"A commons usually begins with {show_euros(LEAST_SEED)} to {show_euros(MOST_SEED)}, "
            "so that it owes nobody for its start."
        )


def _notes_on_work(model: Model) -> Iterator[str]:
    if not hours.LOWEST_RATE <= model.hourly_cents <= hours.HIGHEST_RATE:
        yield (
            f"{show_euros(model.hourly_cents)} an hour is outside the "
            f"{show_euros(hours.LOWEST_RATE)} to {show_euros(hours.HIGHEST_RATE)} before tax "
            "that coordination work is paid."
        )
    if Fraction(model.commons, WHOLE) >= hours.COMMONS_MARK:
        yield "With 30 % of the time or more for common code, clients have gone elsewhere."
    if coordination.ROLE in model.shares:
        share = ratio(model.shares[coordination.ROLE], sum(model.shares.values()))
        if coordination.verdict(share) != "within":
            yield "Coordination is outside the 10 to 25 % that communities of the commons plan."


def _notes_on_members(model: Model, work: Cents) -> Iterator[str]:
    if not members.FEWEST <= model.persons <= members.MOST:
        yield "Cooperatives whose members know each other's income have 4 to 20 persons."
    if model.full_time_wage and model.persons:
        living = members.per_member(work, model.persons, model.full_time_wage)
        if not living.all_full_time:
            yield (
                f"The work pays {living.full_time_wages} full-time wages for {living.members} "
                "members: not everybody can be full time."
            )
