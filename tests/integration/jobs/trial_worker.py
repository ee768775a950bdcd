"""A worker, and the process of one run, that know a kind of run without servers: three pauses.

Each step holds a lock file of its server meanwhile: two at once are seen, and counted.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from provision import database, settings
from provision.jobs import apart, kinds, polling, schedule, transport
from provision.jobs.work import RunKind, StepResult, UnderWay
from provision.jobs.worker import Worker
from provision.workflows.control import Control

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provision.jobs.work import Words

STEPS = ("first", "second", "third")
SECONDS = 0.03


@contextmanager
def begin(control: Control, words: Words) -> Iterator[UnderWay]:
    yield UnderWay({name: partial(pause, control, words, name) for name in STEPS})


def pause(control: Control, words: Words, step: str) -> StepResult:
    folder = control.settings.state
    with (folder / f"{words['server']}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            note(folder / "overlaps", words, step)
        time.sleep(SECONDS)
    note(folder / "done", words, step)
    return StepResult(step)


def note(file: Path, words: Words, step: str) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(handle, f"{words['number']} {step}\n".encode())
    os.close(handle)


def main() -> None:
    kinds.KINDS["trial"] = RunKind(begin)  # type: ignore[index]
    schedule.ENTRIES = {}
    if len(sys.argv) > 2:
        raise SystemExit(apart.main())
    config = Path(sys.argv[1])
    read = settings.load(config)
    control = Control(read, database.connect(read.registry.url), "worker")
    worker = Worker(control, config, module=__spec__.name, at_once=2)
    (transport if transport.fits(control.engine) else polling).work(worker)


if __name__ == "__main__":
    main()
