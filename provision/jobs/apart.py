"""One run in a process of its own, for a worker: whatever it does ends with it.

Run as `python -m provision.jobs.apart SETTINGS RUN ATTEMPT`: the worker has taken the run already.
SIGTERM lets it stop after the step that it is in, and leaves the run to another worker.
"""

from __future__ import annotations

import signal
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from provision import database, settings
from provision.errors import PaquetError
from provision.jobs import engine
from provision.process.commands import start
from provision.registry import runs
from provision.registry.runs import Held
from provision.workflows.control import Control

if TYPE_CHECKING:
    import subprocess

STOPS = (signal.SIGTERM, signal.SIGINT)
# util-linux; what a killed worker carried out must not go on without a heartbeat.
DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL")


def spawn(module: str, config: Path, held: Held) -> subprocess.Popen[str]:
    """Start the process that carries our run out by `module`, such as this one; it dies with us."""
    words = [sys.executable, "-m", module, str(config), str(held.run_id), str(held.attempt)]
    # It inherits what is blocked here: a word to stop waits until it is ready to hear it.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        return start([*DIES_WITH_US, *words], stdin=None, stdout=None, stderr=None)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def acting(control: Control, run_id: int) -> Control:
    """Return the control in the name of who asked for a run."""
    with control.reading() as session:
        return replace(control, actor=runs.get(session, run_id).asked_by)


def main() -> int:
    """Carry out the run of the second argument, which is its worker's."""
    config, held = Path(sys.argv[1]), Held(int(sys.argv[2]), int(sys.argv[3]))
    stopping: list[int] = []
    for number in STOPS:
        signal.signal(number, lambda received, _frame: stopping.append(received))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
    read = settings.load(config)
    stops = partial(bool, stopping)
    blank = Control(read, database.connect(read.registry.url), "", stops=stops)
    try:
        engine.carry_out(acting(blank, held.run_id), held, patient=True)
    except PaquetError as failed:
        sys.stderr.write(f"job {held.run_id}: {failed.message}\n")
        return failed.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
