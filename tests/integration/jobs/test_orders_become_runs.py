"""Orders of a registry that knew no runs: each goes on where it was."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select

from provision import database
from provision.migrations import upgrades
from provision.registry import orders, runs
from provision.registry.models import Run
from provision.registry.states import Told
from tests.integration.subscriptions.test_upgrading_a_registry import registry_of

STATES = ("placed", "provisioning", "delivered", "failed", "cancelled")
RUNS = ["waiting", "running", "done", "failed", "cancelled"]
PEOPLE = """
    INSERT INTO server (name, fence) VALUES ('bundles1', 7);
    INSERT INTO subscriber (id, name, email, language, created_at)
    VALUES (1, 'Jeanne', 'j@x.test', 'fr', '2026-01-01 00:00:00')
"""
ORDER = """
    INSERT INTO bundle (id, name, subscriber_id, domain, cloud, cloud_version, server,
        backup_server, state, quota_bytes, dkim_selector, dkim_public_key, created_at)
    VALUES ({place}, 'b{place}', 1, 'd{place}.test', 'light', '', 'bundles1', 'backup1', 'active',
        1, 's', 'k', '2026-01-01 00:00:00');
    INSERT INTO "order" (id, subscriber_id, bundle_id, wish, state, attempt, placed_at)
    VALUES ({place}, 1, {place}, '{{}}', '{state}', 2, '2026-01-01 00:00:00');
    INSERT INTO order_step (order_id, position, name, state, milliseconds, message)
    VALUES ({place}, 0, 'names', 'done', 12, '4 records');
    INSERT INTO order_step (order_id, position, name, state, milliseconds, message)
    VALUES ({place}, 1, 'bundle', 'failed', NULL, 'the server is away')
"""
ORDERS = [ORDER.format(place=place, state=state) for place, state in enumerate(STATES, start=1)]
ROWS = [row for rows in (PEOPLE, *ORDERS) for row in rows.split(";")]


def test_orders_of_before_become_runs_with_their_steps(database_url: str) -> None:
    with registry_of(database_url, "0017", ROWS) as engine:
        upgrades.upgrade(engine)
        with database.transaction(engine) as session:
            moved = [orders.run_of(session, orders.get(session, place)) for place in range(1, 6)]
            assert [run.state for run in moved] == RUNS
            assert {run.server for run in moved} == {"bundles1"}
            assert [run.asked for run in moved] == [{"order": place} for place in range(1, 6)]
            steps = [(step.name, step.state, step.message) for step in moved[3].steps]
            assert steps == [
                ("names", "done", "4 records"),
                ("bundle", "failed", "the server is away"),
            ]
            now = datetime(2026, 11, 30, tzinfo=UTC)
            assert session.scalars(select(Run.id).where(runs.due(now)).order_by(Run.id)).all() == [
                1,
                2,
            ]
        with database.transaction(engine) as session:
            wanted = runs.WantedRun("other", "server:bundles1", ["deploy"])
            told = Told("somebody", now)
            assert runs.ask(session, wanted, told).id > len(STATES)
