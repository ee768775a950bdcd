"""A worker without a transport: it looks into the registry every few seconds."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from provision.jobs.worker import LOOK_SECONDS

if TYPE_CHECKING:
    from concurrent.futures import Future

    from provision.jobs.worker import Worker


def work(worker: Worker) -> None:
    """Work until SIGTERM or SIGINT, and until what was begun has come to a stop."""
    _work(worker, ends=False)


def work_off(worker: Worker) -> None:
    """Work until nothing is due and nothing is under way, or until SIGTERM or SIGINT."""
    _work(worker, ends=True)


def _work(worker: Worker, *, ends: bool) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, worker.stop)
    begun: dict[int, Future[int]] = {}
    with ThreadPoolExecutor(worker.at_once) as threads:
        while not worker.stopping.is_set():
            begun = {run_id: future for run_id, future in begun.items() if not future.done()}
            for run in worker.due():
                if len(begun) < worker.at_once and run.id not in begun:
                    begun[run.id] = threads.submit(worker.carry, run)
            if begun:  # the end of one sets its server free
                wait(begun.values(), LOOK_SECONDS, "FIRST_COMPLETED")
            elif ends:
                return
            else:
                worker.stopping.wait(LOOK_SECONDS)
