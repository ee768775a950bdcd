"""A bundle is closed, its owner has time, and then nothing of it is left."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from sqlalchemy import func, select

from provision import database
from provision.errors import PaquetError, UnsafeChange, UsageRefused
from provision.registry import orders
from provision.registry.models import Device, Event, Order, SealedSecret, User
from provision.registry.orders import DkimKey, Wish
from provision.servers import guard
from provision.subscriptions.books import verify
from provision.subscriptions.documents.models import Invoice, InvoiceLine, same_document
from provision.subscriptions.offers.catalogue import Catalogue
from provision.subscriptions.offers.terms import Term
from provision.subscriptions.privacy import persons
from provision.subscriptions.selling import billing, cancelling, charges, opening, remainders
from provision.subscriptions.selling.cancelling import Cancellation
from provision.workflows import offboard, plays, privacy, upkeep, zones
from provision.workflows.plays import change as real_change
from tests.integration.subscriptions.leaving_shop import CLOSING, leave
from tests.integration.subscriptions.privacy_shop import DOMAIN, EMAIL, TODAY, TOLD, pay

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from sqlalchemy import Engine

    from tests.integration.subscriptions.leaving_shop import Leaving

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
UNTIL = TODAY + timedelta(days=30)
AFTER = UNTIL + timedelta(days=1)


@pytest.fixture
def leaving(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Leaving:
    return leave(engine, tmp_path, monkeypatch)


@pytest.fixture
def closed(leaving: Leaving) -> Leaving:
    offboard.close(leaving.control, DOMAIN, CLOSING)
    return leaving


def events(leaving: Leaving, subject: str) -> list[tuple[str, str]]:
    with database.transaction(leaving.world.engine) as session:
        wanted = select(Event).where(Event.subject == subject).order_by(Event.id)
        return [(event.what, event.why) for event in session.scalars(wanted)]


def test_closing_ends_services_and_subscription_and_opens_the_window(leaving: Leaving) -> None:
    told = offboard.close(leaving.control, DOMAIN, CLOSING)
    bundle = leaving.bundle()
    assert (bundle.state, bundle.export_until) == ("closed", UNTIL)
    assert leaving.subscription().last_day == TODAY
    assert leaving.told() == [("bundle.yml", "closed")]
    assert (told.bundle.state, told.numbers) == ("closed", [])
    assert events(leaving, f"bundle:{bundle.name}") == [("active → closed", "she moves away")]
    with database.transaction(leaving.world.engine) as session:
        assert verify.verify(session) == []


def test_closing_again_cancels_nothing_twice_and_keeps_the_window(closed: Leaving) -> None:
    later = closed.on(TODAY + timedelta(days=9))
    again = replace(CLOSING, last_day=later.today(), on=later.today())
    offboard.close(later, DOMAIN, again)
    assert closed.bundle().export_until == UNTIL
    assert closed.subscription().last_day == TODAY
    assert closed.told() == [("bundle.yml", "closed")] * 2


@only_sqlite
def test_a_server_that_did_not_answer_is_told_by_the_same_call(leaving: Leaving) -> None:
    leaving.broken = True
    with pytest.raises(PaquetError, match="does not answer"):
        offboard.close(leaving.control, DOMAIN, CLOSING)
    assert leaving.bundle().state == "closed"
    leaving.broken = False
    offboard.close(leaving.control, DOMAIN, CLOSING)
    assert leaving.told() == [("bundle.yml", "closed")]


def cancel(leaving: Leaving, last: date, *, refund: bool = False) -> None:
    with database.transaction(leaving.world.engine) as session:
        one = opening.of_order(session, 1)
        assert one is not None
        asked = Cancellation(last, "moves", TODAY, refund=refund)
        cancelling.cancel(session, one, asked, on=TODAY, told=TOLD)


def given_back(leaving: Leaving) -> dict[tuple[date, date], int]:
    """Return the cents of credit notes by their first and last day, the first note first."""
    found: Counter[tuple[date, date]] = Counter()
    with database.transaction(leaving.world.engine) as session:
        assert verify.verify(session) == []
        rows = session.execute(
            select(InvoiceLine.starts_on, InvoiceLine.ends_on, InvoiceLine.net + InvoiceLine.vat)
            .join(Invoice, same_document(Invoice, InvoiceLine))
            .where(Invoice.kind == "credit")
            .order_by(Invoice.entry_number)
        )
        for starts, ends, gross in rows:
            assert starts is not None
            assert ends is not None
            found[starts, ends] += gross
    return found


def test_a_subscription_that_was_cancelled_for_a_later_day_ends_with_its_bundle(
    leaving: Leaving,
) -> None:
    cancel(leaving, TODAY + timedelta(days=200))
    billed_to = leaving.subscription().billed_to
    assert offboard.close(leaving.control, DOMAIN, CLOSING).numbers == []
    assert leaving.subscription().last_day == TODAY
    told = events(leaving, "subscription:1")
    assert told[-1][0].endswith(f"last day {TODAY}, instead of {TODAY + timedelta(days=200)}")
    billing.bill(leaving.world.engine, TODAY + timedelta(days=100))
    found = leaving.subscription()
    assert (found.state, found.billed_to, given_back(leaving)) == ("ended", billed_to, {})


@only_sqlite
def test_a_subscription_that_ended_before_keeps_its_last_day(leaving: Leaving) -> None:
    last = TODAY - timedelta(days=2)
    cancel(leaving, last)
    offboard.close(leaving.control, DOMAIN, replace(CLOSING, refund=True))
    assert (leaving.subscription().last_day, given_back(leaving)) == (last, {})


@only_sqlite
@pytest.mark.parametrize("refunded", [False, True])
def test_a_closing_gives_back_what_the_cancellation_did_not(
    leaving: Leaving, *, refunded: bool
) -> None:
    """Both ways lead to the same sum: that of the days after the closing, each given back once."""
    middle, end = TODAY + timedelta(days=5), leaving.subscription().billed_to - timedelta(days=1)
    assert middle < end
    cancel(leaving, middle, refund=refunded)
    offboard.close(leaving.control, DOMAIN, replace(CLOSING, refund=True))
    found = given_back(leaving)
    after = TODAY + timedelta(days=1)
    days = [(middle + timedelta(days=1), end), (after, middle)] if refunded else [(after, end)]
    assert list(found) == days
    with database.transaction(leaving.world.engine) as session:
        one = opening.of_order(session, 1)
        assert one is not None
        wanted = remainders.charged(
            charges.due_of(session, one), Term(after, one.billed_to), Catalogue(session)
        )
    assert sum(found.values()) == sum(line.units for line in wanted) > 0


@only_sqlite
def test_a_last_day_is_only_ever_brought_forward(leaving: Leaving) -> None:
    asked = Cancellation(TODAY, "moves", TODAY)
    with database.transaction(leaving.world.engine) as session:
        one = opening.of_order(session, 1)
        assert one is not None
        for last_day in (None, TODAY):
            one.last_day = last_day
            with pytest.raises(UsageRefused, match=f"does not end after {TODAY}"):
                cancelling.bring_forward(session, one, asked, on=TODAY, told=TOLD)


@only_sqlite
def test_what_is_not_delivered_cannot_be_closed(leaving: Leaving) -> None:
    with database.transaction(leaving.world.engine) as session:
        orders.get(session, 1).state = "failed"
    with pytest.raises(UsageRefused, match=r"Order 1 of jeanne\.paquet\.test is failed"):
        offboard.close(leaving.control, DOMAIN, CLOSING)
    assert (leaving.bundle().state, leaving.played) == ("active", [])


@only_sqlite
def test_a_last_day_that_is_not_here_yet_is_refused_and_nothing_is_written(
    leaving: Leaving,
) -> None:
    tomorrow = replace(CLOSING, last_day=TODAY + timedelta(days=1))
    with pytest.raises(UsageRefused, match="2026-06-16 is not here yet"):
        offboard.close(leaving.control, DOMAIN, tomorrow)
    assert (leaving.bundle().state, leaving.subscription().last_day) == ("active", None)


@only_sqlite
@pytest.mark.parametrize("state", ["active", "suspended"])
def test_a_closed_bundle_does_not_open_again(closed: Leaving, state: str) -> None:
    with pytest.raises(PaquetError, match=f"is closed and cannot become {state}"):
        upkeep.change_state(closed.control, DOMAIN, state, "minds change")


@only_sqlite
def test_a_subscription_does_not_go_on_without_its_bundle(closed: Leaving) -> None:
    with database.transaction(closed.world.engine) as session:
        one = opening.of_order(session, 1)
        assert one is not None
        with pytest.raises(UsageRefused, match="is closed for good"):
            cancelling.keep(session, one, on=TODAY, told=TOLD)


@only_sqlite
def test_days_that_were_billed_beyond_the_last_one_are_given_back_when_asked(
    leaving: Leaving,
) -> None:
    told = offboard.close(leaving.control, DOMAIN, replace(CLOSING, refund=True))
    assert len(told.numbers) == 1
    offboard.close(leaving.control, DOMAIN, replace(CLOSING, refund=True))
    with database.transaction(leaving.world.engine) as session:
        issued = select(func.count()).select_from(Invoice).where(Invoice.kind == "credit")
        assert session.scalar(issued) == 1
        assert verify.verify(session) == []


@only_sqlite
def test_a_bundle_that_is_not_closed_cannot_be_erased_even_in_a_hurry(leaving: Leaving) -> None:
    with pytest.raises(UsageRefused, match="is active"):
        offboard.erase(leaving.control, DOMAIN, "now", hurry=True)
    assert leaving.played == []


@only_sqlite
@pytest.mark.parametrize("day", [TODAY, UNTIL])
def test_nothing_is_erased_while_its_owner_has_time(closed: Leaving, day: date) -> None:
    with pytest.raises(UnsafeChange, match=f"may take everything until {UNTIL}"):
        offboard.erase(closed.on(day), DOMAIN, "it is time")
    assert closed.told() == [("bundle.yml", "closed")]
    assert closed.bundle().users


@pytest.mark.parametrize(("day", "hurry"), [(AFTER, False), (TODAY, True)])
def test_erasing_leaves_no_user_device_kit_or_secret(
    closed: Leaving, day: date, *, hurry: bool
) -> None:
    offboard.erase(closed.on(day), DOMAIN, "it is time", hurry=hurry)
    assert closed.told()[1:] == [("erase.yml", "closed")]
    assert {host.name for host in closed.played[1].hosts} == {"bundles1", "backup1"}
    assert closed.played[1].secrets == {}
    bundle = closed.bundle()
    assert (bundle.state, bundle.users) == ("erased", [])
    assert not closed.kit().exists()
    with database.transaction(closed.world.engine) as session:
        assert session.scalar(select(func.count()).select_from(User)) == 0
        assert session.scalar(select(func.count()).select_from(Device)) == 0
        mine = SealedSecret.owner == f"bundle:{bundle.name}"
        assert session.scalar(select(func.count()).where(mine)) == 0
    told = events(closed, f"bundle:{bundle.name}")
    assert told[1:] == [("erasing began", "it is time"), ("closed → erased", "it is time")]
    assert events(closed, "device:d1e2f3a4b5c6") == [("enrolled → revoked", "")]
    with pytest.raises(PaquetError, match="No bundle has the domain"):
        offboard.erase(closed.on(day), DOMAIN, "again", hurry=hurry)


@only_sqlite
def test_an_erasing_that_broke_off_goes_on_with_the_same_call(closed: Leaving) -> None:
    closed.broken = True
    with pytest.raises(PaquetError, match="does not answer"):
        offboard.erase(closed.on(AFTER), DOMAIN, "it is time")
    assert (closed.bundle().state, len(closed.bundle().users)) == ("closed", 1)
    closed.broken = False
    offboard.erase(closed.on(AFTER), DOMAIN, "it is time")
    assert closed.bundle().state == "erased"


@only_sqlite
@pytest.mark.parametrize("playbook", ["erase.yml", "bundle.yml"])
def test_what_waited_while_a_bundle_was_erased_changes_nothing(
    closed: Leaving, monkeypatch: pytest.MonkeyPatch, playbook: str
) -> None:
    played: list[str] = []
    monkeypatch.setattr(guard, "hold", lambda *_lock: nullcontext(Mock()))
    monkeypatch.setattr(plays, "start_ansible", lambda *_: nullcontext())
    monkeypatch.setattr(
        plays, "run_ready", lambda play, *_run, **_with: played.append(play.playbook)
    )
    waiting = replace(plays.erasing_play(closed.bundle(), closed.control), playbook=playbook)
    real_change(closed.control, waiting)
    offboard.erase(closed.on(AFTER), DOMAIN, "it is time")
    with pytest.raises(PaquetError, match="became erased while this waited"):
        real_change(closed.control, waiting)
    assert played == [playbook]


@only_sqlite
def test_an_erased_domain_is_free_with_its_addresses(closed: Leaving) -> None:
    offboard.erase(closed.on(AFTER), DOMAIN, "it is time")
    with database.transaction(closed.world.engine) as session:
        wish = Wish(**session.get_one(Order, 1).wish)
        assert orders.find_twin(session, wish) is None
        again = orders.place(
            session, wish, dkim=DkimKey("paquet", "key"), steps=("bundle",), told=TOLD
        )
        assert again.bundle.users[0].address == f"jeanne@{DOMAIN}"


@only_sqlite
def test_names_that_only_a_person_can_remove_are_all_listed(closed: Leaving) -> None:
    planned = offboard.look(closed.on(AFTER), DOMAIN, hurry=False)
    wanted = zones.desired(planned.bundle, closed.control.settings)
    assert list(planned.names.deletes) == wanted != []


def test_a_subscriber_can_be_forgotten_when_the_bundle_is_erased_and_all_is_paid(
    closed: Leaving,
) -> None:
    later = closed.on(AFTER)
    with pytest.raises(UsageRefused, match=r"bundle b\w+ is closed"):
        privacy.erase(later, EMAIL, "asked by letter")
    billing.bill(closed.world.engine, AFTER)
    assert closed.subscription().state == "ended"
    with database.transaction(closed.world.engine) as session:
        pay(session, closed.subscription().id)
    offboard.erase(later, DOMAIN, "it is time")
    assert privacy.erase(later, EMAIL, "asked by letter").done
    with database.transaction(closed.world.engine) as session:
        assert persons.find(session, "1").name == "erased-1"
        texts = session.execute(select(Event.what, Event.why)).all()
        assert not [text for pair in texts for text in pair if DOMAIN in text or EMAIL in text]
        assert verify.verify(session) == []
