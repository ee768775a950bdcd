from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from provision.errors import PaquetError, UsageRefused
from provision.registry.models import Event
from provision.registry.states import Told
from provision.subscriptions.books import verify
from provision.subscriptions.documents import allocating
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.ledger import closings
from provision.subscriptions.offers import contracts
from provision.subscriptions.parties import identities
from provision.subscriptions.parties.identities import Person
from provision.subscriptions.parties.profiles import Address
from provision.subscriptions.selling import cancelling, credit_notes, renewal_letters, renewals
from provision.subscriptions.selling.cancelling import Cancellation
from provision.subscriptions.selling.changes import Change, change
from provision.subscriptions.selling.credit_notes import What
from tests.integration.subscriptions.changes_shop import (
    bring_plans,
    charged_in_all,
    documents,
    lines,
)

if TYPE_CHECKING:
    from provision.subscriptions.documents.issuing import Number
    from provision.subscriptions.selling.models import Subscription
    from tests.integration.subscriptions.conftest import Shop

# On both databases: test_changing_terms.py
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
GOLDEN = Path(__file__).resolve().parents[2] / "golden/money/renewal"
FIRST, TODAY = date(2026, 1, 31), date(2026, 2, 10)
TOLD = Told("anne", datetime(2026, 2, 10, tzinfo=UTC))


def yearly(shop: Shop, mode: str = "resale") -> Subscription:
    shop.contract(mode)
    one = shop.subscribe(shop.jeanne, FIRST, plan=bring_plans(shop)["team"], period="yearly")
    shop.issue(one, FIRST, TODAY)
    return one


def cancel(
    shop: Shop, one: Subscription, last_day: date, *, refund: bool = False, on: date = TODAY
) -> list[Number]:
    asked = Cancellation(last_day, "déménagement", asked_on=on, refund=refund)
    return cancelling.cancel(shop.session, one, asked, on=on, told=TOLD)


@pytest.mark.parametrize("mode", contracts.MODES)
def test_the_days_beyond_the_last_are_refunded_to_the_cent(shop: Shop, mode: str) -> None:
    """Of 365 days at 130.01, 59 are kept: 21.02 rounded half up, and 108.99 are given back."""
    one = yearly(shop, mode)
    cancel(shop, one, date(2026, 3, 30), refund=True)
    assert charged_in_all(shop, one) == 2102
    assert {(starts, ends) for _component, starts, ends, _net in lines(shop, "credit")} == {
        ("2026-03-31", "2027-01-30")
    }
    assert verify.verify(shop.session) == []


def test_without_a_refund_the_term_is_kept_and_nothing_follows(shop: Shop) -> None:
    one = yearly(shop)
    assert cancel(shop, one, date(2027, 1, 30)) == []
    assert shop.issue(one, date(2030, 1, 1), date(2030, 1, 1)) == []
    assert charged_in_all(shop, one) == 13001


def test_a_cancelled_term_that_is_not_billed_yet_is_billed_to_its_last_day(shop: Shop) -> None:
    shop.contract()
    one = shop.subscribe(shop.jeanne, FIRST, plan=bring_plans(shop)["team"])
    cancel(shop, one, date(2026, 2, 13))
    shop.issue(one, date(2026, 12, 31), date(2026, 12, 31))
    assert documents(shop, one) == [("invoice", 617)]
    assert verify.verify(shop.session) == []


@pytest.mark.parametrize("refund", [True, False])
def test_who_stays_after_all_pays_the_whole_again(shop: Shop, *, refund: bool) -> None:
    one = yearly(shop)
    cancel(shop, one, date(2026, 3, 30), refund=refund)
    cancelling.keep(shop.session, one, on=TODAY, told=TOLD)
    assert (one.last_day, charged_in_all(shop, one)) == (None, 13001)
    assert verify.verify(shop.session) == []
    cancel(shop, one, date(2026, 3, 30), refund=refund)
    cancelling.keep(shop.session, one, on=TODAY, told=TOLD)
    assert charged_in_all(shop, one) == 13001
    assert verify.verify(shop.session) == []


def test_who_stays_pays_again_what_was_refunded_and_no_more(shop: Shop) -> None:
    """Of 108.99 for the days beyond 10.01 were left: the rest was credited for another reason."""
    one = yearly(shop)
    invoice = shop.session.scalars(select(Invoice)).one()
    credit_notes.credit(
        shop.session, allocating.number_of(invoice), What(units=12000), "panne", TODAY
    )
    cancel(shop, one, date(2026, 3, 30), refund=True)
    assert charged_in_all(shop, one) == 0
    cancelling.keep(shop.session, one, on=TODAY, told=TOLD)
    assert charged_in_all(shop, one) == 1001
    assert verify.verify(shop.session) == []


def test_who_stays_does_not_pay_again_what_was_credited_before(shop: Shop) -> None:
    one = yearly(shop)
    invoice = shop.session.scalars(select(Invoice)).one()
    credit_notes.credit(shop.session, allocating.number_of(invoice), What(), "panne", TODAY)
    assert cancel(shop, one, date(2026, 3, 30), refund=True) == []
    assert cancelling.keep(shop.session, one, on=TODAY, told=TOLD) == []


def test_what_was_asked_and_confirmed_is_an_event(shop: Shop) -> None:
    one = yearly(shop)
    asked = Cancellation(date(2026, 3, 30), "trop cher", date(2026, 2, 8), how="letter")
    cancelling.cancel(shop.session, one, asked, on=TODAY, told=TOLD)
    event = shop.session.scalars(select(Event)).one()
    assert (event.subject, event.actor, event.why) == (
        f"subscription:{one.id}",
        "anne",
        "trop cher",
    )
    assert event.what == (
        "cancelled: asked letter on 2026-02-08, confirmed on 2026-02-10, last day 2026-03-30"
    )


def test_a_renewal_that_nobody_announced_is_refunded_without_being_asked(shop: Shop) -> None:
    one = yearly(shop)
    shop.issue(one, date(2027, 1, 31), date(2027, 1, 31))
    cancel(shop, one, date(2027, 3, 31), on=date(2027, 3, 1))
    assert charged_in_all(shop, one) == 13001 + 2137
    what = shop.session.scalars(select(Event.what)).one()
    assert what.endswith("free of charge: the renewal was not announced in time (L215-1)")
    assert verify.verify(shop.session) == []


def test_a_renewal_that_has_not_come_is_not_late(shop: Shop) -> None:
    one = yearly(shop)
    assert cancel(shop, one, date(2027, 3, 31)) == []
    assert "free of charge" not in shop.session.scalars(select(Event.what)).one()


def announced(shop: Shop, on: date) -> list[str]:
    """Announce what is due on a day, and return the letters."""
    sent = []
    for renewal in renewals.coming(shop.session, on):
        if renewal.state == renewals.DUE:
            sent.append(renewal_letters.letter(shop.session, renewal, on).text)
            renewals.record(shop.session, renewal, on)
    return sent


def test_a_renewal_that_was_announced_is_paid_for(shop: Shop) -> None:
    one = yearly(shop)
    assert len(announced(shop, date(2026, 11, 15))) == 1
    assert announced(shop, date(2026, 11, 16)) == []
    shop.issue(one, date(2027, 1, 31), date(2027, 1, 31))
    assert cancel(shop, one, date(2027, 3, 31), on=date(2027, 3, 1)) == []


@pytest.mark.parametrize(
    ("on", "state"),
    [
        (date(2026, 10, 29), None),
        (date(2026, 10, 30), renewals.DUE),
        (date(2026, 12, 30), renewals.DUE),
        (date(2026, 12, 31), renewals.LATE),
        (date(2027, 1, 30), renewals.LATE),
    ],
)
def test_a_renewal_is_announced_between_three_months_and_one_before_its_deadline(
    shop: Shop, on: date, state: str | None
) -> None:
    """The deadline is 30 January 2027, the day before the new term."""
    yearly(shop)
    found = renewals.coming(shop.session, on)
    assert [one.state for one in found] == ([] if state is None else [state])
    assert all(one.deadline == date(2027, 1, 30) for one in found)


@pytest.mark.parametrize("kind", ["subject", "text", "html"])
def test_the_letter_that_frames_the_last_day_is_the_golden_one(shop: Shop, kind: str) -> None:
    yearly(shop)
    shop.jeanne.name = "Jeanne <b>Martin</b> {{ 7 * 7 }}"
    person = Person(name=shop.jeanne.name, email="jeanne@exemple.test")
    identities.write(shop.session, shop.jeanne, person, TODAY)
    (renewal,) = renewals.coming(shop.session, date(2026, 11, 15))
    letter = renewal_letters.letter(shop.session, renewal, date(2026, 11, 15))
    assert getattr(letter, kind) == golden(kind, getattr(letter, kind))


def golden(kind: str, text: str) -> str:
    """Return the golden file; PAQUET_GOLDEN=write writes it, and still fails once."""
    path = GOLDEN / f"letter.{kind}"
    known = path.read_text(encoding="utf-8") if path.exists() else None
    if os.environ.get("PAQUET_GOLDEN") == "write" and known != text:
        path.write_text(text, encoding="utf-8")
        pytest.fail(f"{path} was written: read the difference, then run again without it")
    assert known is not None, f"{path} is missing: write it with PAQUET_GOLDEN=write"
    return known


def test_companies_months_and_those_who_leave_are_not_told(shop: Shop) -> None:
    one = yearly(shop)
    on = date(2026, 11, 15)
    other = shop.subscribe(shop.jeanne, FIRST, plan=shop.plan)
    assert [found.subscription for found in renewals.coming(shop.session, on)] == [one]
    one.last_day = date(2027, 1, 30)
    assert renewals.coming(shop.session, on) == []
    one.last_day = None
    change(shop.session, one, Change(period="monthly"), TODAY, today=TODAY)
    assert renewals.coming(shop.session, on) == []
    change(shop.session, other, Change(period="yearly"), FIRST, today=TODAY)
    shop.session.flush()
    assert [found.subscription for found in renewals.coming(shop.session, on)] == [other]
    address = Address(lines=("1 rue du Port",), postcode="14000", city="Caen")
    firm = Person(name="J SARL", email="jeanne@exemple.test", kind="company", address=address)
    identities.write(shop.session, shop.jeanne, firm, TODAY)
    assert renewals.coming(shop.session, on) == []


def test_a_consumer_withdraws_within_fourteen_days_and_owes_nothing(shop: Shop) -> None:
    """14 February 2026 is a Saturday: the last day moves to Monday 16."""
    one = yearly(shop)
    change(shop.session, one, Change(users=5), date(2026, 2, 5), today=TODAY)
    numbers = cancelling.withdraw(shop.session, one, on=date(2026, 2, 16), told=TOLD)
    assert len(numbers) == 2
    assert (charged_in_all(shop, one), one.state) == (0, "ended")
    assert verify.verify(shop.session) == []


def test_nobody_withdraws_later_or_twice_or_as_a_company(shop: Shop) -> None:
    one = yearly(shop)
    with pytest.raises(UsageRefused, match="could be withdrawn from until 2026-02-16"):
        cancelling.withdraw(shop.session, one, on=date(2026, 2, 17), told=TOLD)
    cancelling.withdraw(shop.session, one, on=TODAY, told=TOLD)
    with pytest.raises(UsageRefused, match="could be withdrawn from"):
        cancelling.withdraw(shop.session, one, on=TODAY, told=TOLD)
    address = Address(lines=("1 rue du Port",), postcode="14000", city="Caen")
    firm = Person(name="J SARL", email="jeanne@exemple.test", kind="company", address=address)
    identities.write(shop.session, shop.jeanne, firm, TODAY)
    with pytest.raises(UsageRefused, match="Only a consumer can withdraw"):
        cancelling.withdraw(shop.session, one, on=TODAY, told=TOLD)


def test_what_cannot_end_is_refused(shop: Shop) -> None:
    one = yearly(shop)
    with pytest.raises(UsageRefused, match="began on 2026-01-31, after 2026-01-30"):
        cancel(shop, one, FIRST - timedelta(days=1))
    with pytest.raises(PaquetError, match="9999-12-31 cannot be the last day"):
        cancel(shop, one, date(9999, 12, 31))
    with pytest.raises(UsageRefused, match="is not cancelled"):
        cancelling.keep(shop.session, one, on=TODAY, told=TOLD)
    cancel(shop, one, TODAY)
    with pytest.raises(UsageRefused, match="is cancelled already"):
        cancel(shop, one, TODAY)
    with pytest.raises(UsageRefused, match="ended on 2026-02-10"):
        cancelling.keep(shop.session, one, on=date(2026, 2, 11), told=TOLD)
    asked = Cancellation(TODAY, "x", TODAY, how="telepathy")
    with pytest.raises(UsageRefused, match="'telepathy' is not a way to ask"):
        cancelling.cancel(shop.session, one, asked, on=TODAY, told=TOLD)
    with pytest.raises(UsageRefused, match="2026-02-10 is not here yet"):
        cancelling.cancel(shop.session, one, Cancellation(TODAY, "x", TODAY), on=FIRST, told=TOLD)


@pytest.mark.parametrize(
    ("day", "why"),
    [
        (date(1900, 1, 1), "1900-01-01 cannot be the day of a change"),
        (date(9999, 12, 31), "9999-12-31 cannot be the day of a change"),
        (FIRST - timedelta(days=1), "is before 2026-01-31, when subscription"),
    ],
)
def test_a_change_on_an_impossible_day_is_refused(shop: Shop, day: date, why: str) -> None:
    one = yearly(shop)
    with pytest.raises(PaquetError, match=why):
        change(shop.session, one, Change(users=3), day, today=TODAY)


@pytest.mark.parametrize("users", [0, -1, 10**9])
def test_so_many_users_are_refused_and_nothing_is_written(shop: Shop, users: int) -> None:
    one = yearly(shop)
    with pytest.raises(UsageRefused, match="users cannot be sold"):
        change(shop.session, one, Change(users=users), TODAY, today=TODAY)
    assert len(one.versions) == 1
    assert len(documents(shop, one)) == 1


def test_a_cancelled_ended_or_closed_subscription_does_not_change(shop: Shop) -> None:
    one = yearly(shop)
    with pytest.raises(UsageRefused, match="Nothing would change"):
        change(shop.session, one, Change(), TODAY, today=TODAY)
    cancel(shop, one, TODAY)
    with pytest.raises(UsageRefused, match="ends on 2026-02-10"):
        change(shop.session, one, Change(users=3), TODAY, today=TODAY)
    cancelling.keep(shop.session, one, on=TODAY, told=TOLD)
    closings.close(shop.session, shop.seller, date(2026, 2, 9), today=TODAY)
    with pytest.raises(UsageRefused, match="The books are closed up to 2026-02-09"):
        change(shop.session, one, Change(users=3), date(2026, 2, 9), today=TODAY)
    assert len(change(shop.session, one, Change(users=3), TODAY, today=TODAY).documents) == 1
    one.state = "ended"
    with pytest.raises(UsageRefused, match="is ended"):
        change(shop.session, one, Change(users=4), TODAY, today=TODAY)


def test_two_changes_on_one_day_leave_the_last(shop: Shop) -> None:
    one = yearly(shop)
    for users in (9, 3, 2):
        change(shop.session, one, Change(users=users), date(2026, 3, 1), today=TODAY)
    assert charged_in_all(shop, one) == 13001
    assert verify.verify(shop.session) == []


def test_a_change_on_the_last_day_of_a_term_is_for_one_day(shop: Shop) -> None:
    """On its last day nothing is left of some cents: what is charged then goes without days."""
    shop.contract()
    one = shop.subscribe(shop.jeanne, FIRST, plan=bring_plans(shop)["team"], gib=11)
    shop.issue(one, FIRST, TODAY)
    for gib in (90, 91, 10, 500):
        change(shop.session, one, Change(gib=gib), date(2026, 2, 27), today=TODAY)
        assert verify.verify(shop.session) == []
    assert charged_in_all(shop, one) == 1234 + 7 - 0 + (490 * 7 - 3308)


def test_another_term_begins_when_the_billed_one_has_ended(shop: Shop) -> None:
    one = yearly(shop)
    made = change(shop.session, one, Change(period="monthly"), date(2026, 3, 1), today=TODAY)
    assert (made.version.from_day, made.version.anchor_day) == (date(2027, 1, 31),) * 2
    assert made.documents == ()
    shop.issue(one, date(2027, 2, 28), date(2027, 2, 28))
    assert documents(shop, one) == [("invoice", 13001), ("invoice", 1500), ("invoice", 1500)]
