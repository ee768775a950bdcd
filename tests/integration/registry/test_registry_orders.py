"""The registry of orders, on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from provision import database
from provision.database import Base
from provision.errors import PaquetError, UsageRefused
from provision.migrations import upgrades
from provision.registry import fences, orders, states
from provision.registry.models import Event, Order
from provision.registry.orders import DkimKey, Wish
from provision.registry.states import Told

if TYPE_CHECKING:
    from sqlalchemy import Engine

TOLD = Told("somebody", datetime(2026, 11, 22, tzinfo=UTC))
DKIM = DkimKey("paquet", "public")
STEPS = ("names", "bundle")
WISH = Wish(
    email="jeanne@exemple.fr",
    name='Jeanne "{{ 7*7 }}" d\'Arc; DROP TABLE bundle',
    login="jeanne",
    language="fr",
    plan="famille",
    domain="jeanne.paquet.test",
    cloud="light",
    cloud_version="",
    server="bundles1",
    backup_server="backup1",
    sold_by="Atelier",
    supported_by="Nuage",
    device="Téléphone",
    kind="android",
    quota_bytes=1 << 30,
)


def place(engine: Engine, wish: Wish = WISH) -> int:
    with database.transaction(engine) as session:
        fences.known_server(session, wish.server)
        return orders.place(session, wish, dkim=DKIM, steps=STEPS, told=TOLD).id


def test_the_migrations_make_what_the_models_say(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        of_runs = {"run", "run_step", "run_line"}
        mine = {"server", "subscriber", "bundle", "user", "device", "order", "event"} | of_runs
        found = [one for one in compare_metadata(context, Base.metadata) if str(one[1]) in mine]
    assert found == []


def test_upgrading_again_changes_nothing(engine: Engine) -> None:
    upgrades.upgrade(engine)


def test_an_order_is_kept_as_it_was_wished(engine: Engine) -> None:
    number = place(engine)
    with database.transaction(engine) as session:
        order = orders.get(session, number)
        assert order.bundle.users[0].display_name == WISH.name
        run = orders.run_of(session, order)
        assert [step.name for step in run.steps] == list(STEPS)
        assert (run.server, run.asked) == (WISH.server, {"order": number})
        assert session.query(Event).one().what == "placed"


def test_the_same_wish_finds_its_order_and_another_is_refused(engine: Engine) -> None:
    number = place(engine)
    with database.transaction(engine) as session:
        twin = orders.find_twin(session, WISH)
        assert twin is not None
        assert twin.id == number
        with pytest.raises(UsageRefused, match="is taken by order"):
            orders.find_twin(session, replace(WISH, email="other@exemple.fr"))


def test_a_domain_has_one_living_bundle(engine: Engine) -> None:
    place(engine)
    with pytest.raises(UsageRefused, match="taken a moment ago"):
        place(engine, replace(WISH, email="other@exemple.fr", login="other"))


def test_a_delivered_order_cannot_be_cancelled(engine: Engine) -> None:
    number = place(engine)
    with database.transaction(engine) as session:
        order = session.get_one(Order, number)
        order.state = "delivered"
        told = (orders.subject(order), TOLD)
        with pytest.raises(PaquetError, match="cannot become cancelled"):
            states.change_state(session, order, states.ORDER, "cancelled", told=told)


def test_a_bundle_given_up_frees_its_domain(engine: Engine) -> None:
    number = place(engine)
    with database.transaction(engine) as session:
        orders.give_up(session, orders.get(session, number).bundle, TOLD)
    assert place(engine, replace(WISH, email="other@exemple.fr")) != number


def test_a_fence_only_grows(engine: Engine) -> None:
    def next_number() -> int:
        with database.transaction(engine) as session:
            return fences.next_fence(session, "bundles1")

    assert [next_number(), next_number()] == [1, 2]
    with database.transaction(engine) as session:
        fences.raise_fence(session, "bundles1", 40)
        fences.raise_fence(session, "bundles1", 7)
    assert next_number() == 41


def test_a_unit_of_work_that_fails_leaves_nothing(engine: Engine) -> None:
    def break_it() -> None:
        with database.transaction(engine) as session:
            fences.next_fence(session, "bundles1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_it()
    with database.transaction(engine) as session:
        assert fences.known_server(session, "bundles1").fence == 0
