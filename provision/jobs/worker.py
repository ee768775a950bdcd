"""What every worker does, however it hears of runs: look what is due, and carry it out apart."""

from __future__ import annotations

import signal
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.jobs import apart, engine, owners, schedule
from provision.jobs.code import read_stamp, stamp
from provision.jobs.heart import moment
from provision.jobs.kinds import KINDS
from provision.registry import runs
from provision.registry.runs import PERSON_WAITS, Takes

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence
    from pathlib import Path

    from provision.registry.runs import DueRun
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
    code: str = field(default_factory=stamp)
    children: dict[int, subprocess.Popen[str]] = field(default_factory=dict)
    patient: set[int] = field(default_factory=set)  # runs for which nobody waits in person
    stopping: threading.Event = field(default_factory=threading.Event)

    def due(self) -> list[DueRun]:
        """Return the runs that can be begun now: asked for, left by the dead, or come by itself.

        One place is kept for who waits in person. A registry that is busy is asked again.
        """
        try:
            schedule.begin_due(self.control)
            owners.release_dead(self.control)
            with self.control.reading() as session:
                at, takes = moment(session, self.control), Takes(self.queues, list(KINDS))
                due = runs.next_due(session, at, takes, 2 * self.at_once)
        except PaquetError as unable:
            self.control.tell(unable.message)
            return []
        return [run for run in due if run.priority >= PERSON_WAITS or self._has_room()]

    def _has_room(self) -> bool:
        return len(self.patient) < max(1, self.at_once - 1)

    def carry(self, run: DueRun) -> int:
        """Carry a run out, if it can be had, in a process of its own; return its exit code.

        It is ours before that process starts, which takes a second: no other worker starts one.
        A worker whose release was replaced since takes none: it stops, and its unit starts anew.
        """
        waits = run.priority >= PERSON_WAITS
        if self.stopping.is_set() or not (waits or self._has_room()):
            return 0
        if not waits:
            self.patient.add(run.id)
        try:
            return self._carry(run.id)
        except PaquetError as unable:
            self.control.tell(f"job {run.id}: {unable.message}")
            return unable.exit_code
        finally:
            self.patient.discard(run.id)

    def _carry(self, run_id: int) -> int:
        if read_stamp() != self.code:
            self.control.tell("paquet was replaced by another release: this worker stops")
            self.stop()
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
        engine.lose(control, held, f"its process ended by itself ({code})")
        self.control.tell(f"job {run_id} ended ({code})")
        return code

    def stop(self, *_signal: object) -> None:
        """Take up nothing more, and let each run stop after the step that it is in."""
        self.stopping.set()
        for child in list(self.children.values()):
            with suppress(ProcessLookupError):
                child.send_signal(signal.SIGTERM)
