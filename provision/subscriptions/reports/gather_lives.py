"""Who subscribed from when to when, and what a term brings without VAT, from the registry."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from sqlalchemy import select

from provision.days import ONE_DAY
from provision.subscriptions.documents import drafts
from provision.subscriptions.offers.catalogue import Catalogue
from provision.subscriptions.offers.sharing import Dealer
from provision.subscriptions.offers.tariffs import Means, Tariff
from provision.subscriptions.offers.terms import MONTHS, Term
from provision.subscriptions.offers.vat import Taxation
from provision.subscriptions.parties.models import PersonReference
from provision.subscriptions.reports import gather_scope
from provision.subscriptions.reports.facts import Life, Rate
from provision.subscriptions.reports.gather_regimes import regimes
from provision.subscriptions.selling.due import Due, Reduction, Version, segments
from provision.subscriptions.selling.models import Discount, Subscription, SubscriptionVersion
from provision.subscriptions.selling.opening import ENDED, WAITING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.documents.drafts import Segment
    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.reports.gather_regimes import Regimes
    from provision.subscriptions.reports.gather_scope import Scope

# Since when a term costs how many cents, for how many months; and all that this depends on.
Step: TypeAlias = "tuple[date, Cents, int]"
History: TypeAlias = "tuple[tuple[Version, ...], tuple[Reduction, ...], date]"
PIECE = 5_000  # rows that are held at one time
FULL_PRICE = {"fr": "plein tarif", "en": "full price"}
FREE_PRICE = {"fr": "prix libre", "en": "free price"}
BY_MEANS = {"fr": "selon les moyens", "en": "by means"}
SUBSCRIPTION = (
    Subscription.id,
    Subscription.subscriber_id,
    Subscription.order_id,
    Subscription.state,
    Subscription.last_day,
    Subscription.billed_to,
)
VERSION = tuple(getattr(SubscriptionVersion, name) for name in Version._fields)


@dataclass
class _Reader:
    """What is read once: plans, contracts, regimes; and what equal histories have in common."""

    catalogue: Catalogue
    regimes: Regimes
    days: Sequence[date]
    scope: Scope
    parties: Mapping[int, Organisation]
    steps: dict[History, tuple[Step, ...]] = field(default_factory=dict)
    tiers: dict[tuple[int, str], str] = field(default_factory=dict)

    def holds(self, version: Version) -> bool:
        """Return whether what was sold in these words lies in the scope."""
        agreement = self.catalogue.agreement(version.contract_id)
        return self.scope.holds_sale(self.parties[agreement.seller_id], agreement.supporter_id)


def lives(
    session: Session, scope: Scope, parties: Mapping[int, Organisation]
) -> tuple[tuple[Life, ...], tuple[Rate, ...]]:
    """Return the subscriptions that began by the end of the report, and what they pay since when.

    A life begins on the first day that is charged: nobody pays for a trial, nor before delivery. It
    is none when it ended before that. It holds the days of sellers in the scope alone: who comes
    back to one has a second life there. A price is that of a whole term less discounts, taxed as
    billing would on that day; a part of declared turnover is not known before, and not in it.
    """
    taxed = regimes(session)
    reader = _Reader(Catalogue(session), taxed, taxed.days, scope, parties)
    reductions = _reductions(session)
    every: list[Life] = []
    rates: list[Rate] = []
    for row, due in _subscriptions(session, scope, reductions):
        first_day = due.versions[0].anchor_day
        if first_day > scope.until or _never_charged(row, first_day):
            continue
        every += (_life(due, days, reader) for days in _days(due, first_day, reader))
        rates += [Rate(row.id, *step) for step in _steps(due, first_day, reader)]
    return tuple(every), tuple(rates)


class _SubscriptionRow(NamedTuple):
    """A subscription, and the reference of who pays; None where it was forgotten."""

    id: int
    subscriber_id: int
    order_id: int | None
    state: str
    last_day: date | None
    billed_to: date
    reference: str | None


def _subscriptions(
    session: Session, scope: Scope, reductions: Mapping[int, tuple[Reduction, ...]]
) -> Iterator[tuple[_SubscriptionRow, Due]]:
    query = (
        select(*SUBSCRIPTION, PersonReference.reference, *VERSION)
        .join(SubscriptionVersion, SubscriptionVersion.subscription_id == Subscription.id)
        .outerjoin(PersonReference, PersonReference.subscriber_id == Subscription.subscriber_id)
        .where(Subscription.state != WAITING, gather_scope.of_subscriptions(scope))
        .order_by(Subscription.id, SubscriptionVersion.version)
        .execution_options(yield_per=PIECE)
    )
    width = len(SUBSCRIPTION) + 1
    for _number, rows in groupby(session.execute(query), key=attrgetter("id")):
        every = [tuple(row) for row in rows]
        head = _SubscriptionRow(*every[0][:width])
        versions = [Version(*row[width:]) for row in every]
        yield (
            head,
            Due(
                subscription_id=head.id,
                billed_to=head.billed_to,
                last_day=head.last_day,
                party=head.reference or f"forgotten-{head.subscriber_id}",
                language=scope.language,
                identity_id=None,
                versions=_since_delivery(versions, ordered=head.order_id is not None),
                reductions=reductions.get(head.id, ()),
            ),
        )


def _since_delivery(versions: Sequence[Version], *, ordered: bool) -> tuple[Version, ...]:
    """Leave out the words of an order that waited: the next ones differ in their days alone."""
    if ordered and len(versions) > 1:
        first, second = versions[:2]
        waited = second._replace(from_day=first.from_day, anchor_day=first.anchor_day)
        if first.anchor_day != second.anchor_day and waited == first:
            return tuple(versions[1:])
    return tuple(versions)


def _never_charged(row: _SubscriptionRow, first_day: date) -> bool:
    if row.last_day is None:
        return False
    return row.last_day < first_day or (row.state == ENDED and row.billed_to <= first_day)


def _days(due: Due, first_day: date, reader: _Reader) -> Iterator[tuple[date, date | None]]:
    """Yield the days on which a subscription was sold in the scope: first, and last if it ends."""
    last = min(due.last_day or reader.scope.until, reader.scope.until)
    changes = {first_day, *(version.from_day for version in due.versions)}
    begun = sorted(day for day in changes if first_day <= day <= last)
    held = [(reader.holds(due.version_on(day)), day) for day in begun]
    turns = [held[0], *(new for old, new in pairwise(held) if new[0] != old[0])]
    ends = [*(day - ONE_DAY for _, day in turns[1:]), due.last_day]
    for (is_held, starts), ends_on in zip(turns, ends, strict=True):
        if is_held:
            yield starts, ends_on


def _life(due: Due, days: tuple[date, date | None], reader: _Reader) -> Life:
    first_day, last_day = days
    until = reader.scope.until
    version = due.version_on(min(last_day or until, until))
    agreement = reader.catalogue.agreement(version.contract_id)
    seller = reader.parties[agreement.seller_id]
    return Life(
        subscription=due.subscription_id,
        subscriber_reference=due.party,
        seller=seller.name,
        supporter=reader.parties[agreement.supporter_id].name,
        territory=seller.territory,
        plan=reader.catalogue.plan(version.plan_id).code,
        tier=_tier(version, reader),
        first_day=first_day,
        last_day=last_day,
    )


def _tier(version: Version, reader: _Reader) -> str:
    key = (version.plan_id, version.means)
    if key not in reader.tiers:
        tariff = Tariff.model_validate_json(reader.catalogue.plan(version.plan_id).tariff)
        means = Means.model_validate_json(version.means)
        reader.tiers[key] = _tier_name(tariff, means, reader.scope.language)
    return reader.tiers[key]


def _tier_name(tariff: Tariff, means: Means, language: str) -> str:
    for tier in tariff.tiers:
        if tier.code == means.tier:
            return tier.name_fr if language == "fr" else tier.name_en
    if tariff.free is not None:
        return FREE_PRICE[language]
    return (BY_MEANS if tariff.formula else FULL_PRICE)[language]


def _steps(due: Due, first_day: date, reader: _Reader) -> tuple[Step, ...]:
    """Return the days from which on a term costs something else, the first day first.

    Those who came on the same day for the same have the same steps: they are computed once.
    """
    until = min(due.last_day or reader.scope.until, reader.scope.until) + ONE_DAY
    history = (due.versions, due.reductions, until)
    if history not in reader.steps:
        every = [
            (segment.days.starts, *_price(due, segment, reader))
            for part in drafts.segment_bounds(Term(first_day, until), reader.days)
            for segment in segments(due, part, reader.catalogue)
        ]
        changed = [new for old, new in pairwise(every) if new[1:] != old[1:]]
        reader.steps[history] = (every[0], *changed)
    return reader.steps[history]


def _price(due: Due, segment: Segment, reader: _Reader) -> tuple[Cents, int]:
    """Return what a whole term brings without VAT, in the words of a segment, and its months."""
    day = segment.days.starts
    version = due.version_on(day)
    agreement = reader.catalogue.agreement(version.contract_id)
    basis = reader.catalogue.plan(version.plan_id).basis

    def how(organisation_id: int) -> Taxation:
        """Tax it as at home: abroad a price has the same net, without VAT."""
        treatment = reader.regimes.needed(organisation_id, day)
        return Taxation(basis, treatment, treatment.rate)

    asked = drafts.asked([replace(segment, days=segment.term)], "")
    invoices = drafts.drafted(asked, agreement, Dealer(), how)
    return sum(line.net for _issuer, lines in invoices for line in lines), MONTHS[version.period]


def _reductions(session: Session) -> Mapping[int, tuple[Reduction, ...]]:
    reductions: dict[int, list[Reduction]] = defaultdict(list)
    for discount in session.scalars(select(Discount).order_by(Discount.id)):
        reductions[discount.subscription_id].append(
            Reduction(discount.first_day, discount.last_day, discount.basis_points, discount.reason)
        )
    return {number: tuple(every) for number, every in reductions.items()}
