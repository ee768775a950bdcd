"""Forty orders on one server, while whoever carries them out is killed at random."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from provision import database, settings
from provision.migrations import upgrades
from provision.registry import fences
from provision.registry.models import Bundle, Device, Event, Order, Run
from provision.registry.runs import DONE, ORDER, RUNNING
from provision.subscriptions.offers import planfile, plans
from provision.subscriptions.selling.models import Subscription
from provision.workflows import ordering, rehearsal
from provision.workflows.control import Control
from tests import postgresql_cluster
from tests.integration.jobs.killing import children_of
from tests.lab.conftest import fresh
from tests.lab.paquet_runs import PAQUET, paquet
from tests.lab.pictures import bundle_picture
from tests.lab.region import PLANS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.lab.region import Region

    Tell = Callable[[str, object, object], None]

pytestmark = [pytest.mark.lab, pytest.mark.timeout(3000)]
ORDERS, WORKERS = 40, 3
TAKEN_OVER = 60.0
BETWEEN_KILLS = (2.0, 12.0)  # seconds: an order takes about seven
FENCED = re.compile(rb"/run/paquet/python/(\d+)")
PAUSE = 0.1


@dataclass
class Witness:
    """Which fences changed a server at the same time, as this computer sees its processes.

    Another lab beside may have a machine of that name, too: `lab` is the control group of ours.
    """

    lab: str
    machine: str
    looks: int = 0
    together: list[set[bytes]] = field(default_factory=list)

    def look(self) -> None:
        """Look once at all processes of the machine."""
        fences_seen = set()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = FENCED.search((folder / "cmdline").read_bytes())
                group = (folder / "cgroup").read_text()
                if words and f"{self.lab}/" in group and self.machine in group:
                    fences_seen.add(words[1])
            except OSError:
                continue  # it ended while we looked
        self.looks += bool(fences_seen)
        if len(fences_seen) > 1:
            self.together.append(fences_seen)


@contextmanager
def witness(region: Region, machine: str) -> Iterator[Witness]:
    """Watch a machine all the time."""
    made, over = Witness(region.lab.group.folder.name, machine), threading.Event()

    def watch() -> None:
        while not over.wait(PAUSE):
            made.look()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield made
    finally:
        over.set()
        watcher.join()


@pytest.fixture
def shared(region: Region) -> Iterator[Region]:
    """The same servers, commanded from a registry of PostgreSQL."""
    if not postgresql_cluster.TOOLS:
        pytest.skip("PostgreSQL is not installed (apt install postgresql)")
    with postgresql_cluster.running("fsync=on") as cluster:
        psql = ["psql", "-h", str(cluster), "-U", "paquet", "-d", "postgres", "-qc"]
        subprocess.run([*psql, "CREATE DATABASE shared"], check=True)
        url = f"postgresql://paquet@/shared?host={cluster}"
        text = (region.folder / "paquet.toml").read_text("utf-8")
        config = region.folder / "shared.toml"
        config.write_text(f'{text}\n[registry]\nurl = "{url}"\n', "utf-8")
        engine = database.connect(url)
        upgrades.upgrade(engine)
        control = Control(settings.load(config), engine, "test")
        with region.control.session() as old, control.session() as session:
            for name in rehearsal.SERVERS:
                fences.raise_fence(session, name, fences.known_server(old, name).fence + 1000)
        rehearsal.sell(control, control.clock().date())
        with control.session() as session:
            plans.bring_in(session, planfile.parse(PLANS))
        try:
            yield replace(region, control=control)
        finally:
            with control.session() as session, region.control.session() as old:
                for name in rehearsal.SERVERS:
                    seen = fences.known_server(session, name).fence
                    fences.raise_fence(old, name, seen + 1000)
            engine.dispose()


def placed(region: Region, word: str) -> list[int]:
    """Place the orders; nobody carries them out yet."""
    return [
        ordering.place(region.control, region.wish(f"{word}{number:02}.paquet.test"))
        for number in range(ORDERS)
    ]


def left(region: Region) -> int:
    """Return how many orders are not delivered; workers carry out what comes by itself, too."""
    undelivered = select(func.count(Run.id)).where(Run.kind == ORDER, Run.state != DONE)
    with region.control.reading() as session:
        return session.scalar(undelivered) or 0


def running(region: Region) -> dict[int, int]:
    """Return the attempt of each run that somebody has."""
    with region.control.reading() as session:
        return dict(session.execute(select(Run.id, Run.attempt).where(Run.state == RUNNING)).all())


def taken_over(region: Region, before: dict[int, int]) -> float:
    """Wait until each run of a dead owner has another, or is done; return the seconds."""
    started = time.monotonic()
    while any(running(region).get(run) == attempt for run, attempt in before.items()):
        time.sleep(PAUSE)
        assert time.monotonic() - started < TAKEN_OVER
    return time.monotonic() - started


def delivered_once(region: Region, word: str) -> None:
    """Hold what a region has of these orders against what it should have."""
    with region.control.reading() as session:
        domains = Bundle.domain.like(f"{word}__.paquet.test")
        bundles = list(session.scalars(select(Bundle).where(domains)))
        orders = list(
            session.scalars(select(Order).where(Order.bundle_id.in_([b.id for b in bundles])))
        )
        assert [order.state for order in orders] == ["delivered"] * ORDERS
        for order in orders:
            about = (Event.subject == f"order:{order.id}", Event.what.like("%→ delivered"))
            assert session.scalar(select(func.count(Event.id)).where(*about)) == 1
            opened = select(func.count(Subscription.id)).where(Subscription.order_id == order.id)
            assert session.scalar(opened) == 1
        users = [user.id for bundle in bundles for user in bundle.users]
        devices = select(func.count(Device.id)).where(Device.user_id.in_(users))
        assert session.scalar(devices) == ORDERS
    kits = list(region.control.kits.glob(f"*@{word}*.paquet.test/*/kit.pdf"))
    assert len(kits) == ORDERS


@dataclass
class Fleet:
    """Workers of a region that are killed, one by one, until nothing is left to do."""

    region: Region
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    kills: int = 0
    slowest: float = 0.0

    def start(self) -> None:
        """Start one more worker."""
        config = str(self.region.folder / "shared.toml")
        command = [str(PAQUET), "--config", config, "worker", "--yes"]
        self.workers.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))

    def kill_one(self) -> None:
        """Kill a worker or the process of one of its runs; see that another takes it over."""
        victim = random.choice(self.workers)  # noqa: S311
        target = random.choice([victim.pid, *children_of(victim.pid)])  # noqa: S311
        before = running(self.region)
        os.kill(target, signal.SIGKILL)
        self.kills += 1
        if target == victim.pid:
            victim.wait()
            self.workers.remove(victim)
            self.start()
        self.slowest = max(self.slowest, taken_over(self.region, before))

    def end(self) -> None:
        """Let the workers stop."""
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            worker.wait(60)


def test_three_workers_that_are_killed_deliver_forty_orders_once(
    shared: Region, light: object, tell: Tell
) -> None:
    assert light
    undisturbed = bundle_picture(shared, first_domain(shared))
    word = f"w{fresh()}x"
    numbers, fleet, began = placed(shared, word), Fleet(shared), time.monotonic()
    try:
        with witness(shared, "bundles1") as seen:
            for _ in range(WORKERS):
                fleet.start()
            while left(shared):
                time.sleep(random.uniform(*BETWEEN_KILLS))  # noqa: S311
                fleet.kill_one()
    finally:
        fleet.end()
    tell(f"{len(numbers)} orders, {WORKERS} workers, kills", fleet.kills, "")
    tell("seconds until a run was another's", round(fleet.slowest, 1), TAKEN_OVER)
    tell("looks at a server that was changed", seen.looks, "")
    tell("two at once on it", len(seen.together), 0)
    tell("seconds in all", round(time.monotonic() - began), "")
    assert seen.together == []
    assert seen.looks > ORDERS
    delivered_once(shared, word)
    assert bundle_picture(shared, f"{word}07.paquet.test") == undisturbed


def first_domain(region: Region) -> str:
    """Order one that nothing disturbs, and return its domain."""
    domain = f"ruhig{fresh()}.paquet.test"
    words = ["order", "place", "jeanne@ailleurs.test", "--name", "Jeanne Martin", "--yes"]
    words += ["--plan", "essai", "--domain", domain, "--cloud", "light", "--again"]
    words += ["--sold-by", rehearsal.SELLER, "--supported-by", rehearsal.SUPPORTER]
    paquet(region.folder / "shared.toml", *words)
    return domain


def test_commands_that_are_killed_deliver_forty_orders_once(region: Region, tell: Tell) -> None:
    """The default: no worker; each command carries its own order out, two at the same time."""
    word = f"k{fresh()}x"
    numbers = placed(region, word)
    config = str(region.folder / "paquet.toml")
    kills = 0

    def deliver(number: int) -> None:
        nonlocal kills
        command = [str(PAQUET), "--config", config, "order", "resume", str(number), "--yes"]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as one:
            try:
                one.wait(random.uniform(*BETWEEN_KILLS))  # noqa: S311
            except subprocess.TimeoutExpired:
                one.kill()
                kills += 1
        subprocess.run(command, check=True, capture_output=True)

    with witness(region, "bundles1") as seen:
        halves = [
            threading.Thread(target=lambda some=some: [*map(deliver, some)])
            for some in (numbers[::2], numbers[1::2])
        ]
        for half in halves:
            half.start()
        for half in halves:
            half.join()
    tell(f"{len(numbers)} orders by commands, kills", kills, "")
    tell("two at once on the server", len(seen.together), 0)
    assert kills > 0
    assert seen.together == []
    assert seen.looks > ORDERS
    delivered_once(region, word)
