from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from provision.errors import UsageRefused
from provision.registry.states import Told
from provision.subscriptions.books import verify
from provision.subscriptions.documents import allocating, describing
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.offers import contracts, plans
from provision.subscriptions.offers.tariffs import Means
from provision.subscriptions.selling import cancelling, changes, credit_notes, renewals
from provision.subscriptions.selling.cancelling import Cancellation
from provision.subscriptions.selling.changes import Change
from provision.subscriptions.selling.credit_notes import What
from provision.subscriptions.selling.models import Discount, RenewalNotice
from tests.integration.subscriptions.changes_shop import (
    bring_plans,
    charged_in_all,
    documents,
    lines,
)
from tests.integration.subscriptions.conftest import START, profile

if TYPE_CHECKING:
    from provision.subscriptions.offers.models import Plan
    from provision.subscriptions.selling.models import Subscription
    from tests.integration.subscriptions.conftest import Shop

FIRST = date(2026, 1, 31)
TODAY = date(2026, 6, 1)


def change(shop: Shop, one: Subscription, day: date, wanted: Change) -> changes.Changed:
    return changes.change(shop.session, one, wanted, day, today=TODAY)


def test_more_users_in_mid_term_are_charged_for_the_days_that_remain(shop: Shop) -> None:
    """31 January to 27 February has 28 days; 14 remain of two more persons at 1.99."""
    shop.contract()
    plan = bring_plans(shop)["team"]
    one = shop.subscribe(shop.jeanne, FIRST, plan=plan)
    shop.issue(one, FIRST, TODAY)
    change(shop, one, date(2026, 2, 14), Change(users=4))
    assert documents(shop, one) == [("invoice", 1234), ("invoice", 199)]
    assert lines(shop, "invoice")[1:] == [("user", "2026-02-14", "2026-02-27", 199)]
    assert verify.verify(shop.session) == []


def test_a_smaller_plan_is_a_credit_note_that_is_set_against_the_open_invoice(shop: Shop) -> None:
    shop.contract()
    every = bring_plans(shop)
    one = shop.subscribe(shop.jeanne, FIRST, plan=every["team"])
    shop.issue(one, FIRST, TODAY)
    change(shop, one, date(2026, 2, 14), Change(plan=every["famille"]))
    assert documents(shop, one) == [("invoice", 1234), ("credit", 117)]
    assert verify.verify(shop.session) == []


def test_a_change_that_costs_the_same_makes_no_document(shop: Shop) -> None:
    shop.contract()
    one = shop.subscribe(shop.jeanne, FIRST, plan=bring_plans(shop)["team"])
    shop.issue(one, FIRST, TODAY)
    assert change(shop, one, date(2026, 2, 14), Change(users=1)).documents == ()
    assert verify.verify(shop.session) == []


def test_a_story_of_changes_credits_and_ends_is_sound_on_both_databases(shop: Shop) -> None:
    """One subscription of each mode goes through all that can happen to it, from day to day."""
    told = Told("anne", datetime(2026, 6, 1, tzinfo=UTC))
    every = bring_plans(shop)
    describing.describe(shop.session, shop.seller, profile("B", "liable"), date(2026, 1, 2))
    for at, mode in enumerate(contracts.MODES):
        shares = contracts.two(shop.seller, shop.supporter, (2, 1))
        terms = (mode, START + timedelta(days=at))
        contracts.add(shop.session, shop.seller, shop.supporter, shares, terms=terms)
        one = shop.subscribe(
            shop.jeanne, START + timedelta(days=at), plan=every["team"], period="yearly"
        )
        (first, *_others) = shop.issue(one, START + timedelta(days=at), TODAY)
        change(shop, one, date(2026, 3, 1), Change(users=7, gib=33))
        change(shop, one, date(2026, 4, 1), Change(plan=every["net"]))
        credit_notes.credit(shop.session, first, What(units=777), "panne", TODAY)
        asked = Cancellation(date(2026, 7, 31), "part", TODAY, refund=True)
        cancelling.cancel(shop.session, one, asked, on=TODAY, told=told)
        cancelling.keep(shop.session, one, on=TODAY, told=told)
        renewal = renewals.coming(shop.session, date(2026, 11, 15))[-1]
        renewals.record(shop.session, renewal, date(2026, 11, 15))
        assert verify.verify(shop.session) == []
    assert renewals.coming(shop.session, date(2026, 11, 15)) == []


def test_a_sent_notice_is_never_taken_back(shop: Shop) -> None:
    shop.contract()
    one = shop.subscribe(shop.jeanne, FIRST)
    shop.session.add(RenewalNotice(subscription_id=one.id, deadline=FIRST, sent_on=START, units=0))
    shop.session.flush()
    for statement in ("DELETE FROM renewal_notice", "UPDATE renewal_notice SET units = 1"):
        with pytest.raises(DBAPIError, match="only ever added"), shop.session.begin_nested():
            shop.session.execute(text(statement))


WORDS = st.one_of(
    st.tuples(st.just("users"), st.integers(1, 9)),
    st.tuples(st.just("gib"), st.integers(1, 40)),
    st.tuples(st.just("plan"), st.sampled_from(["famille", "team"])),
    st.tuples(st.just("prices_of"), st.sampled_from([START, date(2026, 3, 1)])),
    st.tuples(st.just("means"), st.sampled_from([Means(), Means(tier="solidaire")])),
)


@dataclass(frozen=True)
class Story:
    """A subscription with its discount, and what changes on which day of it."""

    mode: str
    vat: str
    period: str
    points: int
    steps: list[tuple[int, tuple[str, object]]]


STORIES = st.builds(
    Story,
    mode=st.sampled_from(contracts.MODES),
    vat=st.sampled_from(["franchise", "liable"]),
    period=st.sampled_from(plans.PERIODS),
    points=st.integers(0, 9999),
    steps=st.lists(st.tuples(st.integers(0, 120), WORDS), min_size=1, max_size=4),
)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink takes minutes here
)
@given(story=STORIES)
def test_a_change_costs_the_same_before_and_after_it_is_billed(shop: Shop, story: Story) -> None:
    with shop.session.begin_nested() as undone:
        every = _told(shop, story)
        known, late = (_opened(shop, story, every["team"]) for _ in range(2))
        shop.issue(late, TODAY, TODAY)
        end = late.billed_to
        for days, (word, value) in sorted(story.steps, key=lambda step: step[0]):
            wanted = Change(**{word: every[str(value)] if word == "plan" else value})  # type: ignore[arg-type]
            for one in (known, late):
                with contextlib.suppress(UsageRefused):
                    change(shop, one, FIRST + timedelta(days=days), wanted)
        shop.issue(known, end - timedelta(days=1), TODAY)
        assert len(known.versions) == len(late.versions)
        assert known.billed_to == end
        assert charged_in_all(shop, known) == charged_in_all(shop, late)
        assert verify.verify(shop.session, seals=False) == []
        undone.rollback()


def _told(shop: Shop, story: Story) -> dict[str, Plan]:
    shop.contract(story.mode)
    describing.describe(shop.session, shop.seller, profile("B", story.vat), date(2026, 1, 2))
    return bring_plans(shop)


def _opened(shop: Shop, story: Story, plan: Plan) -> Subscription:
    one = shop.subscribe(shop.jeanne, FIRST, plan=plan, period=story.period)
    if story.points:
        words = {"basis_points": story.points, "reason": "essai"}
        days = (FIRST + timedelta(days=11), FIRST + timedelta(days=47))
        shop.session.add(
            Discount(subscription_id=one.id, first_day=days[0], last_day=days[1], **words)
        )
    shop.session.flush()
    return one


STEP = st.one_of(
    st.tuples(st.just("change"), st.integers(0, 150), st.integers(1, 9)),
    st.tuples(st.just("plan"), st.integers(0, 150), st.sampled_from(["team", "net", "famille"])),
    st.tuples(st.just("credit"), st.integers(1, 2000), st.integers(0, 9)),
    st.tuples(st.just("whole"), st.just(0), st.integers(0, 9)),
    st.tuples(st.just("cancel"), st.integers(90, 240), st.booleans()),
    st.tuples(st.just("keep"), st.just(0), st.just(0)),
)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink takes minutes here
)
@example(
    mode="two_contracts",
    period="yearly",
    steps=[
        ("whole", 0, 4),
        ("cancel", 148, True),
        ("change", 2, 1),
        ("keep", 0, 0),
        ("plan", 103, "net"),
    ],
)
@example(  # the invoice of who stayed is taken back, and then a change begins before its days
    mode="resale",
    period="yearly",
    steps=[("cancel", 148, True), ("keep", 0, 0), ("whole", 0, 2), ("change", 100, 2)],
)
@given(
    mode=st.sampled_from(contracts.MODES),
    period=st.sampled_from(plans.PERIODS),
    steps=st.lists(STEP, min_size=1, max_size=8),
)
def test_whatever_happens_in_whatever_order_all_stays_sound(
    shop: Shop, mode: str, period: str, steps: list[tuple[str, int, object]]
) -> None:
    """What cannot be is refused; what is done never takes back more than was charged."""
    with shop.session.begin_nested() as undone:
        every = _told(shop, Story(mode, "liable", period, 0, []))
        one = shop.subscribe(shop.jeanne, FIRST, plan=every["team"], period=period, users=5)
        shop.issue(one, TODAY, TODAY)
        for step in steps:
            with contextlib.suppress(UsageRefused), shop.session.begin_nested():
                _done(shop, one, every, step)
            assert verify.verify(shop.session, seals=False) == [], step
        assert charged_in_all(shop, one) >= 0
        undone.rollback()


def _done(
    shop: Shop, one: Subscription, every: dict[str, Plan], step: tuple[str, int, object]
) -> None:
    what, number, detail = step
    day = FIRST + timedelta(days=number)
    told = Told("anne", datetime(2026, 6, 1, tzinfo=UTC))
    if what == "change":
        change(shop, one, day, Change(users=int(str(detail))))
    elif what == "plan":
        change(shop, one, day, Change(plan=every[str(detail)]))
    elif what in {"credit", "whole"}:
        rows = shop.session.scalars(select(Invoice).order_by(Invoice.entry_number)).all()
        wanted = What(units=number or None)
        chosen = allocating.number_of(rows[int(str(detail)) % len(rows)])
        credit_notes.credit(shop.session, chosen, wanted, "panne", TODAY)
    elif what == "cancel":
        asked = Cancellation(day, "part", TODAY, refund=bool(detail))
        cancelling.cancel(shop.session, one, asked, on=TODAY, told=told)
    else:
        cancelling.keep(shop.session, one, on=TODAY, told=told)
