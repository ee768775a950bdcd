"""The heartbeat of a run: its lease renewed, its lines kept, and the word that it shall end."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from provision import database
from provision.errors import PaquetError
from provision.registry import runs
from provision.registry.models import RunLine
from provision.registry.runs import TakenOver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from sqlalchemy.orm import Session

    from provision.registry.models import Run
    from provision.registry.runs import Held
    from provision.workflows.control import Control

LOOK_SECONDS, BEATS = 1.0, 5  # lines are kept each second, the lease is renewed each fifth


def moment(session: Session, control: Control) -> datetime:
    """Return the time by which leases are counted: the registry's own, where machines share one."""
    if session.get_bind().dialect.name == "postgresql":
        at: datetime = session.scalars(select(func.clock_timestamp())).one()
        return at
    return control.clock()


@dataclass
class Heart:
    """Beats for one run. `ends` is why it shall end after its step, '' while it shall not."""

    control: Control
    held: Held
    lines: list[RunLine] = field(default_factory=list)
    ends: str = ""
    is_lost: bool = False
    speaking: threading.Lock = field(default_factory=threading.Lock)
    writing: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, line: str) -> None:
        """Keep a line, and hand it to who listens."""
        with self.speaking:
            self.lines.append(RunLine(at=self.control.clock(), text=line))
        self.control.tell(line)

    def take_lines(self) -> list[RunLine]:
        """Return the lines that are not kept yet, each once."""
        with self.speaking:
            taken, self.lines = self.lines, []
        return taken

    def beat(self) -> None:
        """Renew the lease and keep the lines; another owner's run is let go of."""
        # Busy or away: the next beat tries again, or the lease passes.
        with suppress(PaquetError, SQLAlchemyError):
            self.write(self._renew)

    def _renew(self, session: Session, run: Run) -> None:
        run.lease_until = moment(session, self.control) + runs.lease(session)

    def write(self, work: Callable[[Session, Run], None]) -> None:
        """Write about the run in one unit of work, with the lines told so far.

        One at a time, so that lines keep their order. Raises TakenOver.
        """
        with self.writing:
            taken = self.take_lines()

            def whole(session: Session) -> None:
                run = runs.owned(session, self.held)
                copies = [RunLine(at=line.at, text=line.text) for line in taken]
                runs.keep_lines(session, run.id, copies)
                self.ends = run.ends_asked
                work(session, run)

            try:
                database.retried(self.control.engine, whole)
            except TakenOver:
                self.is_lost = True
                raise
            except (PaquetError, SQLAlchemyError):
                with self.speaking:
                    self.lines = taken + self.lines
                raise

    def run(self, over: threading.Event) -> None:
        """Beat until `over`."""
        looks = 0
        while not (over.wait(LOOK_SECONDS) or self.is_lost):
            looks += 1
            if self.lines or looks % BEATS == 0:
                self.beat()


@contextmanager
def beating(control: Control, held: Held) -> Iterator[tuple[Heart, Control]]:
    """Yield the heart of a run that beats meanwhile, and the control that tells through it."""
    heart, over = Heart(control, held), threading.Event()
    thread = threading.Thread(target=heart.run, args=(over,), daemon=True)
    thread.start()
    try:
        yield heart, replace(control, tell=heart.tell)
    finally:
        over.set()
        thread.join()
