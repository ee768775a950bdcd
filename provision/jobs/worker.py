"""What every worker does, however it hears of runs: look what is due, and carry it out apart."""

from __future__ import annotations

import signal
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provision import database
from provision.jobs import apart, engine, owners, schedule
from provision.jobs.heart import moment
from provision.jobs.kinds import KINDS
from provision.registry import runs
from provision.registry.runs import Takes

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    from provision.registry.runs import DueRun, Held
    from provision.workflows.control import Control

LOOK_SECONDS = 5.0
AT_ONCE = 4
QUEUES = ("servers", "money", "post")


@dataclass
class Worker:
    """Carries runs of some queues out, so many at once, each by `module` with settings `config`."""

    control: Control
    config: Path
    queues: Sequence[str] = QUEUES
    at_once: int = AT_ONCE
    module: str = apart.__name__
    children: dict[int, subprocess.Popen[str]] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)

    def due(self) -> list[DueRun]:
        """Return the runs that can be begun now: asked for, left by the dead, or come by itself."""
        schedule.begin_due(self.control)
        owners.release_dead(self.control)
        with self.control.reading() as session:
            at = moment(session, self.control)
            return runs.next_due(session, at, Takes(self.queues, list(KINDS)), 2 * self.at_once)

    def carry(self, run_id: int) -> int:
        """Carry a run out, if it can be had, in a process of its own; return its exit code.

        It is ours before that process starts, which takes a second: no other worker starts one.
        """
        if self.stopping.is_set():
            return 0
        control = apart.acting(self.control, run_id)
        held = engine.take(control, run_id, owners.this_process())
        if held is None:
            return 0
        self.control.tell(f"job {run_id} begins")
        child = self.children[run_id] = apart.spawn(self.module, self.config, held)
        if self.stopping.is_set():  # the signal came between
            child.send_signal(signal.SIGTERM)
        code = child.wait()
        del self.children[run_id]
        self._let_go(held)
        self.control.tell(f"job {run_id} ended ({code})")
        return code

    def _let_go(self, held: Held) -> None:
        """Let the run of a process that was killed be taken over at once."""

        def work(session: Session) -> None:
            runs.release(session, held, moment(session, self.control))

        database.retried(self.control.engine, work)

    def stop(self, *_signal: object) -> None:
        """Take up nothing more, and let each run stop after the step that it is in."""
        self.stopping.set()
        for child in list(self.children.values()):
            with suppress(ProcessLookupError):
                child.send_signal(signal.SIGTERM)
