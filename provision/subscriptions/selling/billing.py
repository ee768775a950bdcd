"""The billing run, in pieces that stand: each begun term once, in order; and what comes."""

from __future__ import annotations

import gc
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import aliased

from provision import database
from provision.days import LAST_DAY, sensible_day
from provision.registry.models import Subscriber
from provision.subscriptions.documents import deducting, issuing
from provision.subscriptions.documents.models import BillingRun, Invoice
from provision.subscriptions.documents.union_consumers import Tally
from provision.subscriptions.ledger.models import Closing
from provision.subscriptions.offers import sharing
from provision.subscriptions.offers.catalogue import Catalogue
from provision.subscriptions.offers.vat import TreatmentRefused
from provision.subscriptions.parties import identities
from provision.subscriptions.parties.models import Identity, PersonReference
from provision.subscriptions.selling import charges, deposits, due
from provision.subscriptions.selling.due import Due, Reduction
from provision.subscriptions.selling.models import Discount, Subscription, SubscriptionVersion
from provision.subscriptions.selling.opening import ACTIVE, ENDED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from sqlalchemy import Engine, Select
    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.documents.drafts import Draft
    from provision.subscriptions.offers.terms import Term
    from provision.subscriptions.parties.identities import Person


PIECE = 2_000  # subscriptions that are billed in one unit of work


@dataclass
class BillingOutcome:
    """What a run did: on which days it billed, how many documents it made, their sum in cents.

    Credit notes are among them, for deposits that nothing deducts any more; they are below zero.
    `ended` counts the subscriptions that were past their last day. `left_out` says by subscription
    why it was not billed: its buyer is abroad, and nobody here knows the VAT. Nothing of it is
    lost: the first run after that is mended bills it.
    """

    days: list[date] = field(default_factory=list)
    documents: int = 0
    gross: int = 0
    ended: int = 0
    left_out: dict[int, TreatmentRefused] = field(default_factory=dict)

    @property
    def writes(self) -> bool:
        """Whether the registry is another one after it."""
        return bool(self.documents or self.ended)

    def add(self, piece: _Piece) -> None:
        """Count what one unit of work did."""
        self.documents += piece.documents
        self.gross += piece.gross
        self.ended += piece.ended
        self.left_out |= piece.left_out


@dataclass(frozen=True)
class _Piece:
    """What one unit of work did; `last` is the last subscription that it looked at."""

    last: int | None
    documents: int
    gross: int
    ended: int = 0
    left_out: Mapping[int, TreatmentRefused] = field(default_factory=dict)


def bill(
    engine: Engine, day: date, tell: Callable[[str], None] = lambda _line: None
) -> BillingOutcome:
    """Invoice all terms that began by `day`; done again, it finds nothing to do and writes nothing.

    It goes on in pieces: what was written stands when a run is killed, and the same command
    finishes it, with the day on which it began, before it begins a new one.
    """
    sensible_day(day, "the day of a billing run")
    outcome = BillingOutcome()
    for run_day in database.retried(engine, partial(_days, day)):
        if database.retried(engine, partial(_open, run_day)):
            _run(engine, run_day, outcome, tell)
            outcome.add(database.retried(engine, partial(_finish, run_day)))
        outcome.days.append(run_day)
    return outcome


def preview(session: Session, day: date) -> BillingOutcome:
    """Return what a run would do, and write nothing: the unit of work is rolled back."""
    sensible_day(day, "the day of a billing run")
    outcome = BillingOutcome(days=_days(day, session))
    for run_day in outcome.days:
        after: int | None = 0
        while after is not None:
            piece = _piece(run_day, after, session)
            outcome.add(piece)
            after = piece.last
        outcome.add(_finish(run_day, session))
    session.rollback()
    return outcome


def _run(engine: Engine, day: date, outcome: BillingOutcome, tell: Callable[[str], None]) -> None:
    after = 0
    while True:
        with _uncollected():
            piece = database.retried(engine, partial(_piece, day, after))
        outcome.add(piece)
        if piece.last is None:
            return
        after = piece.last
        tell(f"{outcome.documents} documents, up to subscription {after}")


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let nobody look for garbage among the many objects of a piece: a third of its time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _piece(day: date, after: int, session: Session) -> _Piece:
    """Bill the next subscriptions in the order of their numbers."""
    dues = _load(session, day, after)
    if not dues:
        return _Piece(None, 0, 0)
    catalogue, dealer = Catalogue(session), sharing.load(session)
    wanted: list[Draft] = []
    billed: dict[date, list[int]] = defaultdict(list)
    left_out, tally = {}, Tally(session)
    for subscription in dues:
        branch = dealer.branched()
        try:
            drafts, billed_to = due.drafts_of(subscription, day, catalogue, branch)
            tally.add_all(drafts, day)
        except TreatmentRefused as refused:
            left_out[subscription.subscription_id] = refused
            continue
        dealer = branch
        wanted += drafts
        billed[billed_to].append(subscription.subscription_id)
    numbers = issuing.issue(session, wanted, catalogue, day)
    deducting.deduct(session, wanted, numbers, day)
    sharing.save(session, dealer)
    for to, subscriptions in billed.items():
        moved = update(Subscription).where(Subscription.id.in_(subscriptions)).values(billed_to=to)
        session.connection().execute(moved)
    gross = sum(draft.net + draft.vat for draft in wanted)
    return _Piece(dues[-1].subscription_id, len(wanted), gross, left_out=left_out)


def _load(session: Session, day: date, after: int) -> list[Due]:
    rows = session.execute(_begun(day, after)).all()
    numbers = [row[0] for row in rows]
    versions, reductions = _versions(session, numbers), _reductions(session, numbers)
    return [
        Due(
            number,
            to,
            last_day,
            party,
            language,
            identity_id,
            versions=tuple(versions[number]),
            reductions=tuple(reductions[number]),
            person=_person(content),
        )
        for number, to, last_day, party, language, identity_id, content in rows
    ]


def _begun(day: date, after: int) -> Select[*tuple[Any, ...]]:
    """Select the next subscriptions of which a term begins by `day`, with who pays."""
    newest = aliased(Identity)
    latest = (
        select(func.max(newest.id))
        .where(newest.subscriber_id == Subscription.subscriber_id)
        .scalar_subquery()
    )
    return (
        select(
            Subscription.id,
            Subscription.billed_to,
            Subscription.last_day,
            PersonReference.reference,
            Subscriber.language,
            Identity.id,
            Identity.content,
        )
        .join(PersonReference, PersonReference.subscriber_id == Subscription.subscriber_id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .outerjoin(Identity, Identity.id == latest)
        .where(Subscription.state == ACTIVE, Subscription.billed_to <= day, Subscription.id > after)
        .order_by(Subscription.id)
        .limit(PIECE)
    )


def _person(content: str | None) -> Person | None:
    return None if content is None else identities.parse(content)


def _versions(session: Session, numbers: list[int]) -> dict[int, list[due.Version]]:
    versions: dict[int, list[due.Version]] = defaultdict(list)
    version = SubscriptionVersion
    rows = session.execute(
        select(
            version.subscription_id,
            version.from_day,
            version.anchor_day,
            version.plan_id,
            version.period,
            version.priced_on,
            version.contract_id,
            version.users,
            version.gib,
            version.means,
        )
        .where(version.subscription_id.in_(numbers))
        .order_by(version.subscription_id, version.version)
    )
    for number, *words in rows:
        versions[number].append(due.Version(*words))
    return versions


def _reductions(session: Session, numbers: list[int]) -> dict[int, list[Reduction]]:
    reductions: dict[int, list[Reduction]] = defaultdict(list)
    rows = session.execute(
        select(
            Discount.subscription_id,
            Discount.first_day,
            Discount.last_day,
            Discount.basis_points,
            Discount.reason,
        )
        .where(Discount.subscription_id.in_(numbers))
        .order_by(Discount.id)
    )
    for row in rows:
        owner, first_day, last_day, points, reason = row
        reductions[owner].append(Reduction(first_day, last_day, points, reason))
    return reductions


def _days(day: date, session: Session) -> list[date]:
    """Return the days to bill: of runs that were interrupted, and then `day` itself.

    An interrupted run whose day was overtaken, by a later document or by a closing, is over: what
    it left is billed with `day`.
    """
    open_runs = select(BillingRun).where(BillingRun.state == "open").order_by(BillingRun.id)
    issued = session.scalar(select(func.max(Invoice.issued_on))) or day
    closed = session.scalar(select(func.max(Closing.last_day))) or date.min
    days = []
    for run in session.scalars(open_runs).all():
        if run.day < issued or run.day <= closed:
            run.state = "done"
        elif run.day != day:
            days.append(run.day)
    return [*days, day]


def _open(day: date, session: Session) -> bool:
    """Open the run of a day, unless it is open; return whether there is anything to do."""
    there = select(BillingRun).where(BillingRun.state == "open", BillingRun.day == day)
    if session.scalar(there) is not None:
        return True
    waits = or_(Subscription.billed_to <= day, Subscription.last_day < day)
    waiting = select(Subscription.id).where(Subscription.state == ACTIVE, waits).limit(1)
    if session.scalar(waiting) is None:
        return False
    session.add(BillingRun(day=day))
    return True


def _finish(day: date, session: Session) -> _Piece:
    """Close the run, and end the subscriptions that are past their last day.

    What was deposited for them, and nothing deducts any more, is given back.
    """
    numbers = deposits.refund_ended(session, day)
    given_back = [
        session.get_one(Invoice, tuple(number.columns.values())).gross for number in numbers
    ]
    session.execute(
        update(BillingRun)
        .where(BillingRun.state == "open", BillingRun.day == day)
        .values(state="done")
    )
    ended = session.connection().execute(
        update(Subscription)
        .where(Subscription.state == ACTIVE, Subscription.last_day < day)
        .values(state=ENDED)
    )
    return _Piece(None, len(numbers), -sum(given_back), ended.rowcount)


@dataclass(frozen=True)
class ComingTerm:
    """Days that are not billed yet, and what all who sell will ask for them together."""

    days: Term
    net: Cents
    vat: Cents


def coming(
    session: Session, subscription: Subscription, count: int, today: date
) -> list[ComingTerm]:
    """Return the next `count` terms, taxed as today; fewer when the subscription ends."""
    owed = charges.due_of(session, subscription)
    catalogue, dealer = Catalogue(session), sharing.load(session)
    start = owed.billed_to
    terms: list[ComingTerm] = []
    while len(terms) < count and subscription.state != ENDED and start < LAST_DAY:
        if owed.last_day is not None and start > owed.last_day:
            break
        days = due.next_days(owed, start)
        drafts = list(due.invoices(owed, days, catalogue, dealer, today))
        net, vat = sum(draft.net for draft in drafts), sum(draft.vat for draft in drafts)
        terms.append(ComingTerm(days, net, vat))
        start = days.until
    return terms
