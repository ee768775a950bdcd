"""What one subscription owes by a day: its terms, cut where its words change. Pure but for prices.

Two ways lead to the same sum: a change that was known before a term is billed cuts the term into
segments; one that comes after is credited and charged for the days that remain (`changes`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from provision.days import ONE_DAY
from provision.subscriptions.documents import drafts
from provision.subscriptions.documents.drafts import Buyer, Draft, Segment
from provision.subscriptions.offers import tariffs
from provision.subscriptions.offers.catalogue import Wanted
from provision.subscriptions.offers.terms import Term, term_of
from provision.subscriptions.offers.treatments import Taxing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from provision.subscriptions.offers.catalogue import Asked, Catalogue
    from provision.subscriptions.offers.sharing import Dealer
    from provision.subscriptions.parties.identities import Person

DISCOUNT = {"fr": "Remise de {percent} % : {reason}", "en": "Discount of {percent} %: {reason}"}


class Version(NamedTuple):
    """What a subscription is from a day on (see `models.SubscriptionVersion`)."""

    from_day: date
    anchor_day: date
    plan_id: int
    period: str
    priced_on: date
    contract_id: int
    users: int
    gib: int
    means: str

    @property
    def grounds(self) -> tuple[object, ...]:
        """What all lines of one invoice have in common."""
        return self.anchor_day, self.period, self.plan_id, self.contract_id

    def wanted(self, language: str) -> Wanted:
        """Return what it asks of the price list."""
        return Wanted(
            self.plan_id,
            self.period,
            self.priced_on,
            self.users,
            self.gib,
            self.means,
            language,
        )


class Reduction(NamedTuple):
    """Basis points of the price that are not asked from a day to a day, and why."""

    first_day: date
    last_day: date | None
    basis_points: int
    reason: str


@dataclass(frozen=True)
class Due:
    """A subscription whose days before `billed_to` are invoiced; `last_day` ends it.

    `person` is who pays, as known today; without one it is somebody at home.
    """

    subscription_id: int
    billed_to: date
    last_day: date | None
    party: str
    language: str
    identity_id: int | None
    versions: tuple[Version, ...]
    reductions: tuple[Reduction, ...] = ()
    person: Person | None = None

    @property
    def buyer(self) -> Buyer:
        """Who pays."""
        return Buyer(self.party, self.identity_id, self.subscription_id)

    def version_on(self, day: date) -> Version:
        """Return the words in force on `day`: the newest of those that have begun."""
        begun = [version for version in self.versions if version.from_day <= day]
        return begun[-1] if begun else self.versions[0]


def drafts_of(
    due: Due, day: date, catalogue: Catalogue, dealer: Dealer
) -> tuple[list[Draft], date]:
    """Return the invoices for all terms that began by `day`, and the day billed to with them."""
    term_drafts: list[Draft] = []
    start = due.billed_to
    while start <= day and (due.last_day is None or start <= due.last_day):
        days = next_days(due, start)
        term_drafts += invoices(due, days, catalogue, dealer, day)
        start = days.until
    return term_drafts, start


def next_days(due: Due, start: date) -> Term:
    """Return the days that one invoice from `start` on is for: to the end of the term or sooner.

    Sooner is the end of the subscription, or the day on which it stands on other grounds.
    """
    version = due.version_on(start)
    ends = [term_of(version.anchor_day, version.period, start).until]
    ends += [
        other.from_day
        for other in due.versions
        if other.from_day > start and other.grounds != version.grounds
    ]
    if due.last_day is not None:
        ends.append(due.last_day + ONE_DAY)
    return Term(start, min(ends))


def invoices(
    due: Due, days: Term, catalogue: Catalogue, dealer: Dealer, on: date
) -> Iterator[Draft]:
    """Yield the invoices of `days`, issued `on`: one of each organisation that sells."""
    lines = _asked(due, days, catalogue)
    if not lines:
        return
    version = due.version_on(days.starts)
    agreement = catalogue.agreement(version.contract_id)
    basis = catalogue.plan(version.plan_id).basis

    how = Taxing(catalogue, due.person, on).of_basis(basis)
    for issuer, drafted in drafts.drafted(lines, agreement, dealer, how):
        key = f"subscription:{due.subscription_id}:{days.starts.isoformat()}"
        if sum(line.net + line.vat for line in drafted):  # a discount may leave nothing to ask for
            yield Draft(issuer, key, due.buyer, drafted)


def _asked(due: Due, days: Term, catalogue: Catalogue) -> Sequence[Asked]:
    """Return what `days` cost: worked out once for all who have the same words."""
    words = (days, due.language, due.versions, due.reductions)
    if words not in catalogue.asked:
        parts = segments(due, days, catalogue)
        catalogue.asked[words] = drafts.asked(parts, DISCOUNT[due.language])
    return catalogue.asked[words]


def segments(
    due: Due, days: Term, catalogue: Catalogue, cuts_beside: Sequence[date] = ()
) -> list[Segment]:
    """Return `days` cut where the version or the discount changes, and on the days beside."""
    cuts = [*cuts_beside, *(version.from_day for version in due.versions)]
    for reduction in due.reductions:
        cuts.append(reduction.first_day)
        if reduction.last_day is not None:
            cuts.append(reduction.last_day + ONE_DAY)
    return [_segment(due, part, catalogue) for part in drafts.segment_bounds(days, cuts)]


def _segment(due: Due, part: Term, catalogue: Catalogue) -> Segment:
    version = due.version_on(part.starts)
    points, reason = _reduced(due.reductions, part.starts)
    return Segment(
        term=term_of(version.anchor_day, version.period, part.starts),
        days=part,
        items=catalogue.items(version.wanted(due.language)),
        discount=points,
        reason=reason,
    )


def _reduced(reductions: Sequence[Reduction], day: date) -> tuple[int, str]:
    """Return all discounts of a day together: never more than the whole price."""
    on_day = [
        reduction
        for reduction in reductions
        if reduction.first_day <= day and (reduction.last_day is None or day <= reduction.last_day)
    ]
    points = sum(reduction.basis_points for reduction in on_day)
    return min(points, tariffs.WHOLE), ", ".join(reduction.reason for reduction in on_day)
