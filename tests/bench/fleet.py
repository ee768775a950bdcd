"""`make bench-fleet`: a night of 100, 1,000 and 10,000 bundles, on a clock that is put forward.

The clockwork is the real one: registry, claims, leases, steps, billing. Servers are answered by a
stand-in that takes the times of `anchor.json`, which `tests.bench.anchor` measures on one lab
server with real light bundles. Each size runs in a process of its own, so that its peak of memory
is its own.
"""

from __future__ import annotations

import argparse
import heapq
import json
import multiprocessing
import resource
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click
from sqlalchemy import func, select

from provision import database, settings
from provision.commands.shared import tables
from provision.jobs import engine, kinds, money
from provision.jobs.work import RunKind, StepResult, UnderWay
from provision.registry import runs
from provision.registry.models import Bundle, Run, Server
from provision.registry.runs import NIGHTLY, Owner, WantedRun
from provision.workflows.control import Control
from tests.bench import money as money_bench

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provision.jobs.work import Words

SIZES = (100, 1_000, 10_000)
ON_A_SERVER, WORKERS, AT_ONCE = 50, 3, 4
NIGHT = datetime(2026, 1, 15, 22, tzinfo=UTC)
DRILLED = 30  # a bundle's backup is put back and compared once in so many nights
TAKES = runs.Takes(("servers", "money"), ("check", "drill", "upgrade", "bill"))
ANCHOR = Path(__file__).with_name("anchor.json")
# Seconds for one bundle of a run, as the anchor names them; a server is looked at, too.
TIMES: dict[str, float] = json.loads(ANCHOR.read_text("utf-8")) if ANCHOR.exists() else {}


@dataclass
class Clock:
    """The time of one worker, put forward by what it does."""

    now: datetime = NIGHT

    def read(self) -> datetime:
        """Return the time."""
        return self.now

    def pass_by(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self.now += timedelta(seconds=seconds)


@dataclass(frozen=True)
class NightPart:
    """What a part of the night asked for, what it cost here, in seconds, and what it took there."""

    what: str
    runs: int
    steps: int
    real: float
    took: timedelta


@dataclass(frozen=True)
class NightOutcome:
    """A night of so many bundles, the peak of memory, and how many runs it left behind."""

    bundles: int
    parts: list[NightPart]
    mib: int
    left: int


@dataclass
class Night:
    """One registry, some virtual workers, and what the night cost."""

    control: Control
    clocks: list[Clock]
    busy: dict[str, datetime] = field(default_factory=dict)
    parts: list[NightPart] = field(default_factory=list)

    def work_off(self) -> int:
        """Carry out all that waits, each by the worker whose time is earliest; return the steps."""
        steps = 0
        heap = [(clock.now, place) for place, clock in enumerate(self.clocks)]
        heapq.heapify(heap)
        while heap:
            _now, place = heapq.heappop(heap)
            clock = self.clocks[place]
            control = replace(self.control, clock=clock.read)
            run = self._next(control)
            if run is None:
                continue  # nothing is left for it
            held = engine.take(control, run.id, Owner(f"worker {place}", "", "bench"))
            assert held is not None
            with pretending(clock):
                engine.carry_out(control, held)
            self.busy[run.server] = clock.now
            steps += len(run.asked.get("steps", [1]))
            heapq.heappush(heap, (clock.now, place))
        return steps

    def _next(self, control: Control) -> Run | None:
        """Return the next run whose server nobody holds at this worker's time; wait for it."""
        with control.reading() as session:
            due = runs.next_due(session, control.clock(), TAKES, 4 * len(self.clocks))
            found = [runs.get(session, run.id) for run in due]
        free = [run for run in found if self.busy.get(run.server, NIGHT) <= control.clock()]
        return next(iter(free or found), None)

    def add(self, what: str, ask: Callable[[], int]) -> None:
        """Ask for runs, work them off, and note what that cost here and took there."""
        for clock in self.clocks:
            clock.now = NIGHT
        self.busy.clear()
        began = time.monotonic()
        asked = ask()
        steps = self.work_off()
        real = time.monotonic() - began
        took = max(clock.now for clock in self.clocks) - NIGHT
        self.parts.append(NightPart(what, asked, steps, real, took))


@contextmanager
def pretending(clock: Clock) -> Iterator[None]:
    """Let the steps of stand-ins put this clock forward."""
    PRETENCE.append(clock)
    try:
        yield
    finally:
        PRETENCE.pop()


PRETENCE: list[Clock] = []


def stand_in(kind: str) -> RunKind:
    """Return a kind of run whose steps take their time on the clock, and nothing else."""

    def step(name: str) -> StepResult:
        PRETENCE[-1].pass_by(TIMES["server" if name.startswith("server") else kind])
        return StepResult("looks", [{"check": "web", "result": "ok", "message": "", "hint": ""}])

    @contextmanager
    def begin(_control: Control, words: Words) -> Iterator[UnderWay]:
        yield UnderWay({name: partial(step, name) for name in words["steps"]})

    return RunKind(begin, each=True, leaves_events=kind == "upgrade")


def registry(folder: Path, count: int) -> Control:
    """Make a registry of so many subscribers, each with a bundle, and their subscriptions."""
    url = f"sqlite:///{folder}/paquet.db"
    money_bench.fill(url, count)
    config = folder / "paquet.toml"
    config.write_text(f'{money_bench.OPERATOR}[registry]\nurl = "{url}"\n', "utf-8")
    made = Control(settings.load(config), database.connect(url), "bench")
    with made.session() as session:
        first = range(0, count, ON_A_SERVER)
        servers = [{"name": server_of(number), "fence": 0} for number in first]
        database.insert_many(session, Server, servers)
        database.insert_many(session, Bundle, [bundle(number) for number in range(count)])
    return made


def bundle(number: int) -> dict[str, object]:
    return {
        "id": number + 1,
        "name": f"b{number:08}",
        "subscriber_id": number + 1,
        "domain": f"d{number}.exemple.test",
        "cloud": "light",
        "cloud_version": "",
        "server": server_of(number),
        "backup_server": "backup1",
        "state": "active",
        "quota_bytes": 1 << 30,
        "dkim_selector": "paquet",
        "dkim_public_key": "k",
        "created_at": NIGHT,
    }


def server_of(number: int) -> str:
    return f"server{number // ON_A_SERVER}"


def asked(control: Control, kind: str, every: int = 1, *, whole: bool = False) -> int:
    """Ask for a run per server, of each bundle or of every so-maniest; return how many."""
    with control.reading() as session:
        names = select(Bundle.server, Bundle.name).where(Bundle.id % every == 0)
        rows = session.execute(names.order_by(Bundle.id)).all()
    by_server: dict[str, list[str]] = {}
    for server, name in rows:
        by_server.setdefault(server, [server] if whole else []).append(name)
    with control.session() as session:
        for server, steps in by_server.items():
            wanted = WantedRun(
                kind, f"server:{server}", steps, {"steps": steps}, "servers", server, NIGHTLY
            )
            runs.ask(session, wanted, control.told())
    return len(by_server)


def ask_bill(control: Control) -> int:
    with control.session() as session:
        runs.ask(session, money.billing(money_bench.DAY, NIGHTLY), control.told())
    return 1


def a_night(count: int) -> NightOutcome:
    """Live one night of so many bundles, in this process."""
    known = cast("dict[str, RunKind]", kinds.KINDS)
    known |= {kind: stand_in(kind) for kind in ("check", "drill", "upgrade")}
    with tempfile.TemporaryDirectory() as folder:
        control = registry(Path(folder), count)
        clocks = [Clock() for _ in range(WORKERS * AT_ONCE)]
        night = Night(replace(control, clock=lambda: NIGHT), clocks)
        night.add("checks", lambda: asked(night.control, "check", whole=True))
        night.add("drills", lambda: asked(night.control, "drill", DRILLED))
        night.add("billing", lambda: ask_bill(night.control))
        night.add("upgrade wave", lambda: asked(night.control, "upgrade"))
        with control.reading() as session:
            left = session.scalar(select(func.count(Run.id)).where(Run.state != runs.DONE)) or 0
        control.engine.dispose()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return NightOutcome(count, night.parts, peak, left)


def table(outcomes: list[NightOutcome]) -> list[dict[str, object]]:
    """Return the rows that are printed: what each part cost per bundle, and took in all."""
    return [
        {
            "bundles": outcome.bundles,
            "part": part.what,
            "runs": part.runs,
            "steps": part.steps,
            "here, s": f"{part.real:.1f}",
            "here, ms a bundle": f"{1000 * part.real / outcome.bundles:.1f}",
            "of the night": str(part.took).partition(".")[0],
            "peak, MiB": outcome.mib,
            "left": outcome.left,
        }
        for outcome in outcomes
        for part in outcome.parts
    ]


def main() -> None:
    """Live a night of each size."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.fleet", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    arguments = parser.parse_args()
    if not TIMES:
        parser.error("nothing was measured yet: make bench-fleet ANCHOR=1")
    outcomes = []
    for count in arguments.sizes:
        with multiprocessing.get_context("spawn").Pool(1) as process:
            outcomes.append(process.apply(a_night, (count,)))
    click.echo(f"\nStand-in, seconds for one bundle: {TIMES}")
    tables.show(table(outcomes), "en", as_json=False)


if __name__ == "__main__":
    main()
