"""What is too old goes, what is younger stays, and amounts stay for ever."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from provision import database
from provision.errors import UsageRefused
from provision.registry.models import Device, SealedSecret, Subscriber
from provision.registry.secrets import open_safe
from provision.subscriptions.books import verify
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.parties import identities
from provision.subscriptions.parties.models import Identity
from provision.subscriptions.privacy import purging, retention
from provision.subscriptions.privacy.models import ArchivedIdentity, Erasure, Purged
from provision.workflows import privacy
from tests.integration.subscriptions.privacy_shop import (
    EMAIL,
    NAME,
    TOLD,
    build,
    copied,
    end,
    everything,
    make,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from tests.integration.subscriptions.privacy_shop import World

DAYS = st.dates(date(2024, 1, 1), date(2045, 12, 31))
REVOKED = date(2026, 2, 28)
# Each thing of the world after Jeanne left, and the first day on which it may go, by hand.
FIRST_DAYS = {
    ("identity", "1"): date(2037, 1, 2),  # superseded on 1 January 2026, on no document
    ("subscriber", "1"): date(2029, 7, 1),  # her subscription ended on 30 June 2026
    ("device", "d1e2f3a4b5c6"): date(2028, 2, 29),
}


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("left")
    build(folder)
    made = copied(folder, tmp_path_factory.mktemp("leaving"))
    end(made)
    revoke(made)
    made.engine.dispose()
    return made.folder


@pytest.fixture
def world(left: Path, tmp_path: Path) -> Iterator[World]:
    made = copied(left, tmp_path)
    yield made
    made.engine.dispose()


def revoke(world: World) -> None:
    with database.transaction(world.engine) as session:
        device = session.scalars(select(Device)).one()
        device.state, device.revoked_at = "revoked", datetime(2026, 2, 28, 23, tzinfo=UTC)


def due(world: World, on: date) -> list[purging.Going]:
    with database.transaction(world.engine) as session:
        return purging.due(session, on)


def purge(world: World, on: date) -> list[purging.Going]:
    """Purge as if it were `on`."""
    with database.transaction(world.engine) as session:
        found = purging.due(session, on)
        for one in found:
            purging.take(
                session, open_safe(session, world.control.settings.key_file), one, TOLD, on
            )
    return found


@given(start=DAYS, days=st.integers(0, 8_000), code=st.sampled_from(["accounting", "inactive"]))
@example(start=date(2028, 2, 29), days=730, code="inactive")
def test_a_rule_is_never_over_before_its_years_have_passed(
    start: date, days: int, code: str
) -> None:
    years = {"accounting": 11, "inactive": 2}[code]
    on = start + timedelta(days=days)
    birthdays = on.year - start.year - ((on.month, on.day) <= (start.month, start.day))
    assert retention.rule(code).is_over(start, on) is (birthdays >= years)


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(on=DAYS)
@example(on=date(2029, 6, 30))
@example(on=date(2029, 7, 1))
@example(on=date(2028, 2, 28))
@example(on=date(2028, 2, 29))
@example(on=date(2037, 1, 1))
@example(on=date(2037, 1, 2))
def test_on_every_day_all_that_is_too_old_goes_and_nothing_younger(world: World, on: date) -> None:
    found = {(one.kind, one.key) for one in due(world, on)}
    assert found == {thing for thing, first_day in FIRST_DAYS.items() if on >= first_day}


def test_who_has_a_bundle_or_a_subscription_never_goes(left: Path, tmp_path: Path) -> None:
    del left
    build(tmp_path)
    inner = tmp_path / "inner"
    inner.mkdir()
    world = copied(tmp_path, inner)
    assert [one for one in due(world, date(2090, 1, 1)) if one.kind == "subscriber"] == []
    world.engine.dispose()


def test_who_owes_stays_and_is_shown_with_the_reason(engine: Engine, tmp_path: Path) -> None:
    world = make(engine, tmp_path)
    end(world, paid=False)
    found = [one for one in due(world, date(2030, 1, 1)) if one.kind == "subscriber"]
    assert [one.key for one in found] == ["1"]
    assert found[0].stays.startswith("€9.00 is open on F2026-000001")
    assert privacy.purge(world.control, found) == []
    with database.transaction(engine) as session:
        assert session.get_one(Subscriber, 1).name == NAME
        with pytest.raises(UsageRefused, match="cannot be erased"):
            purging.take(
                session,
                open_safe(session, world.control.settings.key_file),
                found[0],
                TOLD,
                date(2030, 1, 1),
            )


def test_names_leave_the_active_base_then_the_archive_and_amounts_stay(
    engine: Engine, tmp_path: Path
) -> None:
    world = make(engine, tmp_path)
    end(world)
    with database.transaction(engine) as session:
        amounts = [row["gross"] for row in everything(session)["invoice"]]
    assert [one.rule for one in purge(world, date(2029, 7, 1))] == ["client"]
    with database.transaction(engine) as session:
        assert session.get_one(Erasure, 1).why == TOLD.why
        assert session.scalars(select(ArchivedIdentity.identity_id)).all() == [2]
        last = session.scalars(select(Invoice.issued_on).where(Invoice.identity_id == 2)).all()
    assert max(last) == date(2026, 6, 1)
    assert purge(world, date(2037, 6, 1)) == []
    assert [(one.kind, one.key) for one in purge(world, date(2037, 6, 2))] == [
        ("archived identity", "2")
    ]
    with database.transaction(engine) as session:
        assert session.scalars(select(ArchivedIdentity)).all() == []
        assert session.scalars(select(SealedSecret)).all() == []
        assert [row["gross"] for row in everything(session)["invoice"]] == amounts
        assert verify.verify(session) == []


def test_what_went_is_recorded_by_its_number_and_never_rewritten(
    engine: Engine, tmp_path: Path
) -> None:
    world = make(engine, tmp_path)
    end(world)
    purge(world, date(2029, 7, 1))
    with database.transaction(engine) as session:
        row = session.scalars(select(Purged)).one()
        assert (row.rule, row.kind, row.key) == ("client", "subscriber", "1")
        assert (row.purged_on, row.counted_from) == (date(2029, 7, 1), date(2026, 6, 30))
    with (
        pytest.raises(Exception, match="rows of purged are only ever added"),
        engine.begin() as raw,
    ):
        raw.execute(text("DELETE FROM purged"))


def test_purging_again_finds_nothing_and_what_is_gone_is_not_taken_twice(world: World) -> None:
    day = date(2040, 1, 1)
    with database.transaction(world.engine) as session:
        first = purging.due(session, day)
        safe = open_safe(session, world.control.settings.key_file)
        for one in [*first, *first]:
            purging.take(session, safe, one, TOLD, day)
        assert {one.kind for one in first} == {"identity", "device", "subscriber"}
        assert len(session.scalars(select(Purged)).all()) == len(first)
    assert due(world, day) == []


def test_the_current_name_of_a_customer_is_kept_whatever_its_age(world: World) -> None:
    purge(world, date(2060, 1, 1))
    with database.transaction(world.engine) as session:
        paul = select(Identity).where(Identity.subscriber_id == world.paul)
        assert len(session.scalars(paul).all()) == 1


def test_an_identity_that_another_table_needs_stays(world: World) -> None:
    day = date(2090, 1, 1)
    purge(world, day)
    with database.transaction(world.engine) as session:
        paul = session.get_one(Subscriber, world.paul)
        moved = identities.Person(name="Paul Durand", email="elsewhere@exemple.test")
        identities.write(session, paul, moved, date(2027, 1, 1))
        before = session.scalars(select(Identity.id).where(Identity.subscriber_id == 2)).all()
    old = ("identity", str(min(before)))
    assert old in {(one.kind, one.key) for one in due(world, day)}
    with world.engine.begin() as raw:
        raw.execute(text("CREATE TABLE petition (id INTEGER PRIMARY KEY, identity_id INTEGER)"))
        raw.execute(text("INSERT INTO petition (identity_id) VALUES (:one)"), {"one": min(before)})
    assert old not in {(one.kind, one.key) for one in due(world, day)}


def test_a_device_goes_with_its_kit(world: World) -> None:
    with database.transaction(world.engine) as session:
        address = session.scalars(select(Device)).one().user.address
    kit = world.control.kits / address / "d1e2f3a4b5c6"
    kit.mkdir(parents=True)
    found = [one for one in due(world, date(2028, 2, 29)) if one.kind == "device"]
    assert privacy.purge(world.control, found) == found
    assert not kit.exists()
    with database.transaction(world.engine) as session:
        assert session.scalars(select(Device)).all() == []
        assert session.scalars(select(Subscriber.email)).first() == EMAIL


def test_every_rule_has_a_source_and_words_in_both_languages() -> None:
    assert [one.code for one in retention.rules()] == [
        "accounting",
        "client",
        "prospect",
        "inactive",
        "letter",
        "payer",
        "job",
    ]
    for rule in retention.rules():
        assert rule.years or rule.months
        assert any(said in rule.source for said in ("CNIL", "L123-22", "L218-2", "Choix de Paquet"))
        assert rule.fr
        assert rule.en
        assert rule.fr != rule.en
