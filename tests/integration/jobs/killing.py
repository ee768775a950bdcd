"""Workers that are killed at random while they share runs on a few servers."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision import database, settings
from provision.jobs.heart import moment
from provision.registry import runs
from provision.registry.models import Run, RunStep
from provision.registry.runs import DONE, WAITING, WantedRun
from provision.workflows.control import Control
from tests.integration.jobs.trial_worker import STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

TOP = Path(__file__).parents[3]
MODULE = "tests.integration.jobs.trial_worker"
SETTINGS = """
[operator]
name = "Les Amis"
zone = "paquet.test"
contact = "aide@paquet.test"
[registry]
url = "{url}"
"""


@dataclass
class Fleet:
    """A registry with runs on some servers, and workers that carry them out."""

    folder: Path
    control: Control
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    kills: int = 0
    hurried: int = 0

    @property
    def config(self) -> Path:
        return self.folder / "paquet.toml"

    def start(self) -> None:
        command = [sys.executable, "-m", MODULE, str(self.config)]
        with (self.folder / "workers.log").open("ab") as log:
            self.workers.append(subprocess.Popen(command, cwd=TOP, stderr=log))

    def kill_one(self) -> None:
        """Kill a worker, or the process of one of its runs, and start another in its place."""
        victim = random.choice(self.workers)  # noqa: S311
        children = list(children_of(victim.pid))
        target = random.choice([victim.pid, *children])  # noqa: S311
        os.kill(target, signal.SIGKILL)
        self.kills += 1
        if target == victim.pid:
            victim.wait()
            self.workers.remove(victim)
            self.start()

    def left(self) -> int:
        with self.control.reading() as session:
            return session.scalar(select(func.count(Run.id)).where(Run.state != DONE)) or 0

    def begun(self) -> int:
        """Return how often a run was taken up so far."""
        with self.control.reading() as session:
            return session.scalar(select(func.sum(Run.attempt))) or 0

    def hurry(self) -> bool:
        """Retry what is left where all of it only rests, as a person would; tell whether it did.

        A run whose process was killed again and again rests for minutes, by design.
        """
        with self.control.reading() as session:
            later = (Run.state == WAITING, Run.due_at > moment(session, self.control))
            count = session.scalar(select(func.count(Run.id)).where(*later)) or 0
        if not count or count < self.left():
            return False

        def retry(session: Session) -> None:
            for run in session.scalars(select(Run).where(Run.state == WAITING)):
                runs.retry(session, run, moment(session, self.control))

        database.retried(self.control.engine, retry)
        self.hurried += count
        return True

    def end(self) -> None:
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            worker.wait(30)

    def noted(self, name: str) -> list[str]:
        file = self.folder / "var" / name
        return file.read_text().splitlines() if file.exists() else []

    def steps(self) -> dict[str, int]:
        with self.control.reading() as session:
            rows = session.execute(
                select(RunStep.state, func.count()).group_by(RunStep.state)
            ).all()
        return {str(state): count for state, count in rows}


def children_of(pid: int) -> Iterator[int]:
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            yield from map(int, path.read_text().split())
        except (FileNotFoundError, ProcessLookupError):  # the second: it ended once opened
            continue


@contextmanager
def fleet(folder: Path, url: str, count: int, servers: int) -> Iterator[Fleet]:
    """Yield a registry in which `count` runs wait, on so many servers; its workers end with it."""
    (folder / "paquet.toml").write_text(SETTINGS.format(url=url), "utf-8")
    (folder / "var").mkdir()
    read = settings.load(folder / "paquet.toml")
    control = Control(read, database.connect(url), "somebody")
    with control.session() as session:
        for number in range(count):
            server = f"server{number % servers}"
            words = {"server": server, "number": number}
            wanted = WantedRun("trial", f"trial:{number}", STEPS, words, server=server)
            runs.ask(session, wanted, control.told())
    made = Fleet(folder, control)
    try:
        yield made
    finally:
        made.end()
        control.engine.dispose()


def killed_at_random(made: Fleet, workers: int, kills: int, patience: float) -> float:
    """Let workers do all of it while they are killed; return the longest time without an end.

    Raises AssertionError where nothing came to its end for so many seconds.
    """
    for _ in range(workers):
        made.start()
    longest, last, left = 0.0, time.monotonic(), made.left()
    pause, begun = 0.0, 0
    while left:
        time.sleep(0.2)
        pause += 0.2
        if made.kills < kills and pause > 1.0 and (now_begun := made.begun()) > begun:
            made.kill_one()  # not before one began: on a busy computer none would get so far
            pause, begun = 0.0, now_begun
        now, still = time.monotonic(), made.left()
        if still < left or made.hurry():
            last, left = now, still
        longest = max(longest, now - last)
        assert longest < patience, f"{left} runs are left behind"
    return longest
